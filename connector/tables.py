"""Results as tables for people, or as JSON for scripts.

Must not know how the results came about.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from connector.encoding.schemas import SchemaRow
from connector.kafka.topics import TopicReport
from connector.peek import Seen


def show_peek(seen: Sequence[Seen], *, as_json: bool) -> None:
    """What each feed offers."""
    console = Console()
    if as_json:
        _json([vars(one) for one in seen])  # asdict makes tuples of a Counter's entries
        return
    rows = [
        (
            f"{one.site}.{one.feed}",
            one.topic,
            str(one.pending),
            str(one.would_publish),
            str(len(one.bad)),
            _range(one),
            _counts(one.unknown_fields),
            _counts(one.values_that_did_not_fit),
        )
        for one in seen
    ]
    headings = (
        "feed",
        "topic",
        "pending",
        "would publish",
        "bad",
        "SyncIDs",
        "unknown fields",
        "values that did not fit",
    )
    console.print(_table(headings, rows))
    for one in seen:
        for problem in [*one.bad[:3], *([one.problem] if one.problem else [])]:
            console.print(f"{one.site}.{one.feed}: {problem}", markup=False, style="red")
        for record in one.records:
            console.print_json(json.dumps(record, default=str, ensure_ascii=False))
    console.print("Nothing was confirmed, nothing was published.", style="dim")


def show_schemas(rows: Sequence[SchemaRow], *, as_json: bool) -> None:
    """The schemas that there are."""
    if as_json:
        _json([asdict(row) for row in rows])
        return
    cells = [
        (row.kind, row.feed, row.fingerprint, str(row.fields), str(row.personal_fields), row.business_key, row.path)
        for row in rows
    ]
    headings = ("kind", "feed", "fingerprint", "fields", "personal", "business key", "file")
    Console().print(_table(headings, cells))


def show_topics(report: TopicReport, *, as_json: bool) -> None:
    """The topics that there are, were made, and are missing."""
    if as_json:
        _json(asdict(report))
        return
    console = Console()
    states = (("existing", report.existing), ("created", report.created), ("MISSING", report.missing))
    rows = [(topic, state, str(report.max_message_bytes.get(topic, ""))) for state, names in states for topic in names]
    console.print(_table(("topic", "state", "max.message.bytes"), sorted(rows)))
    for warning in report.warnings:
        console.print(f"warning: {warning}", markup=False, style="yellow")


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _range(seen: Seen) -> str:
    return "" if seen.lowest_sync_id is None else f"{seen.lowest_sync_id}-{seen.highest_sync_id}"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(6))


def _json(document: Any) -> None:
    print(json.dumps(document, indent=2, default=str, ensure_ascii=False))  # noqa: T201
