"""What the demo shows: a header, records as they arrive, a line of counts now and then, a table at the end.

Must not know how anything is measured. Everything shown is the sandbox's invention: nobody in it exists.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from connector.sandbox.demo_judge import Figures, Shown

_RECORDS_PER_SECOND = 20
_STEP_WIDTH = 30
_UNKNOWN_WIDTH = 140  # a file or a pipe has no width; records stay on one line all the same
_PREFIXES = {"order": "Order", "quotation": "Quotation", "workorder": "WorkOrder"}
_COLOURS = {"order": "cyan", "quotation": "magenta", "workorder": "yellow"}


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that runs, for the header."""

    what: str
    where: str
    remark: str


class Screen:
    """A terminal, or whatever standard output is.

    Args:
        as_json: standard output takes one JSON object at the end, everything else goes to standard error.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        stream = sys.stderr if as_json else sys.stdout
        width = None if stream.isatty() else _UNKNOWN_WIDTH
        self._console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
        self._second = 0
        self._shown_in_second = 0
        self._shown = 0
        self._held_back = 0

    def header(self, places: Sequence[Place]) -> None:
        """What runs where."""
        width = max(len(place.where) for place in places)
        for place in places:
            line = Text(f"  {place.what:<10}", "bold")
            line.append(f" {place.where:<{width}}", "not bold").append(f"  {place.remark}", "not bold dim")
            self._print(line)
        self._print(Text())

    def say(self, line: str, style: str = "") -> None:
        """One line of news."""
        self._print(Text(line, style))

    def record(self, shown: Shown, seconds: float) -> None:
        """One record on one line; of many in a second the first ones, and of repeated ones every one.

        Args:
            shown: the record.
            seconds: since the demo began.
        """
        if int(seconds) != self._second:
            self._second, self._shown_in_second = int(seconds), 0
        if self._shown_in_second >= _RECORDS_PER_SECOND and not shown.is_repeated:
            self._held_back += 1
            return
        self._shown_in_second += 1
        self._shown += 1
        line = _record_line(shown)
        line.truncate(self._console.width, overflow="ellipsis")
        self._print(line)

    def counts(self, figures: Figures, seconds: float) -> None:
        """A line of counts.

        Args:
            figures: as they are now.
            seconds: since the demo began.
        """
        told = (
            f"{seconds:6.0f} s   created {figures.created:,}   published {figures.published:,}"
            f"   confirmed {figures.confirmed:,}   pending {figures.pending:,}   lag {_lag(figures.lag)}"
        )
        if self._held_back:
            told += f"   ({self._shown:,} of {self._shown + self._held_back:,} records shown)"
        self._shown = self._held_back = 0
        self._print(Text(told, "green"))

    def table(self, figures: Figures) -> None:
        """The table at the end."""
        rows = _rows(figures)
        width = max(len(value) for _, value, _ in rows)
        self._print(Text())
        for name, value, meaning in rows:
            is_wrong = name in {"duplicated", "lost", "pending", "unexpected"} and value != "0"
            line = Text(f"  {name:<11}")
            line.append(f"{value:>{width}}", "bold red" if is_wrong else "bold").append(f"  {meaning}", "dim")
            self._print(line)
        self._print(Text())

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)

    def result(self, document: Mapping[str, Any]) -> None:
        """The last line of standard output, for a script; nothing where a person reads."""
        if self._as_json:
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()


def _record_line(shown: Shown) -> Text:
    prefix = _PREFIXES.get(shown.feed, "")
    value = shown.value
    key = _text(value.get(f"{prefix}_Number"))
    customer = _text(value.get("Customer_Company_Name")) or " ".join(
        filter(None, (_text(value.get("Customer_First_Name")), _text(value.get("Customer_Last_Name"))))
    )
    step = _text(value.get(f"{prefix}_Step_Desc"))
    city = _text(value.get("Customer_City"))
    line = Text()
    line.append(f"{shown.feed:<9} ", _COLOURS.get(shown.feed, ""))
    line.append(f"p{shown.partition} SyncID {shown.sync_id:>5}  ", "dim")
    line.append(f"{key:<7} ", "bold")
    line.append(f"{_cut(step, _STEP_WIDTH):<{_STEP_WIDTH}} {customer}")
    line.append(f" · {city}" if city else "", "dim")
    if shown.is_repeated:
        line = Text("SEEN BEFORE ", "bold red") + line
    return line


def _rows(figures: Figures) -> list[tuple[str, str, str]]:
    rows = [
        ("created", f"{figures.created:,}", "changes that the ERP told of"),
        ("published", f"{figures.published:,}", "different records that the consumer read"),
        ("confirmed", f"{figures.confirmed:,}", "notifications that the ERP moved to its history"),
        ("duplicated", f"{figures.duplicated:,}", "records that the consumer read once more"),
        ("lost", f"{figures.lost:,}", "notifications confirmed that the consumer never read"),
        ("pending", f"{figures.pending:,}", "notifications that the ERP still offers"),
        ("lag", _lag(figures.lag), "age of the oldest pending notification"),
        ("records/s", f"{figures.records_per_second:,.1f}", "from the first record to the last"),
    ]
    if figures.unexpected:
        rows.append(("unexpected", f"{figures.unexpected:,}", "records that no notification explains"))
    return rows


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _lag(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds:.1f} s"
