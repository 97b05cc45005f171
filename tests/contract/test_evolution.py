"""Records stay readable: every schema is checked against all it ever was, kept in history/<kind>/<feed>.<n>.avsc."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from connector.encoding.schemas import load_schemas

HISTORY = Path(__file__).parent / "history"
SCHEMAS = load_schemas()
by_feed = pytest.mark.parametrize("feed", sorted(SCHEMAS), ids="/".join)


def history(feed: tuple[str, str]) -> list[dict[str, Any]]:
    """What a feed's schema was, oldest first."""
    kind, name = feed
    paths = {int(path.name.split(".")[1]): path for path in (HISTORY / kind).glob(f"{name}.*.avsc")}
    assert sorted(paths) == list(range(1, len(paths) + 1)), "history files are numbered from 1 without gaps"
    return [json.loads(paths[number].read_text()) for number in sorted(paths)]


def incompatibilities(reader: dict[str, Any], writer: dict[str, Any]) -> list[str]:
    """Why a reader with one schema cannot read what the other wrote, or would read something else; none is good."""
    found = ReaderWriterCompatibilityChecker().get_compatibility(
        avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer))
    )
    problems = [] if found.compatibility is SchemaCompatibilityType.compatible else [*found.messages, "incompatible"]
    return problems + [
        f"{name} changed its logical type"
        for name, logical in logical_types(writer).items()
        if logical_types(reader).get(name, logical) != logical
    ]


def logical_types(schema: dict[str, Any]) -> dict[str, Any]:
    """What a number means, which Avro's own rules do not compare; None where a field has none."""
    branches = {f["name"]: f["type"] if isinstance(f["type"], list) else [f["type"]] for f in schema["fields"]}
    return {
        name: next((b["logicalType"] for b in types if isinstance(b, dict) and "logicalType" in b), None)
        for name, types in branches.items()
    }


@by_feed
def test_the_schema_reads_everything_ever_written(feed: tuple[str, str]) -> None:
    """BACKWARD_TRANSITIVE: a consumer that has the newest schema reads the oldest record."""
    for written in history(feed):
        assert incompatibilities(dict(SCHEMAS[feed].schema), written) == []


@by_feed
def test_the_newest_history_file_is_the_schema(feed: tuple[str, str]) -> None:
    """A changed schema is committed with the next history file, and an old one is never rewritten."""
    kind, name = feed
    kept = history(feed)
    hint = f"copy {SCHEMAS[feed].path.name} to tests/contract/history/{kind}/{name}.{len(kept) + 1}.avsc"
    assert kept, hint
    assert kept[-1] == SCHEMAS[feed].schema, hint


def changed(field: str, **attributes: Any) -> dict[str, Any]:
    schema = json.loads(json.dumps(SCHEMAS["cienapps", "order"].schema))
    for entry in schema["fields"]:
        if entry["name"] == field:
            entry.update(attributes)
    return dict(schema)


@pytest.mark.parametrize(
    "reader",
    [
        changed("Order_Number", type=["null", "string"]),
        changed("Order_DateDue", type=["null", "int"]),
        changed("SyncID", type="int"),
        changed("SyncID", name="Sync_Id"),
        changed("Order_Title", type="string"),
    ],
    ids=["other type", "no longer a date", "narrower", "renamed", "no longer nullable"],
)
def test_a_change_that_readers_cannot_follow_is_seen(reader: dict[str, Any]) -> None:
    """The check can fail."""
    assert incompatibilities(reader, dict(SCHEMAS["cienapps", "order"].schema))


def test_a_new_nullable_field_is_no_such_change() -> None:
    """The check can pass: fields are added this way."""
    reader = changed("nothing")
    reader["fields"].insert(0, {"name": "New", "type": ["null", "long"], "default": None})
    assert incompatibilities(reader, dict(SCHEMAS["cienapps", "order"].schema)) == []
