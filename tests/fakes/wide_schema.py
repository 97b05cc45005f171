"""A schema with every type a field can have, which no ERP of ours needs all of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connector.encoding.checking import problems
from connector.encoding.schemas import FeedSchema, parse

_TYPES: dict[str, Any] = {
    "Key": "int",
    "Flag": "boolean",
    "Whole": "long",
    "Single": "float",
    "Double": "double",
    "Text": "string",
    "Day": {"type": "int", "logicalType": "date"},
    "Moment": {"type": "long", "logicalType": "timestamp-millis"},
    "Money": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
    "Ints": {"type": "array", "items": "int"},
    "Longs": {"type": "array", "items": "long"},
    "Texts": {"type": "array", "items": "string"},
}


def document(**changes: Any) -> dict[str, Any]:
    """The schema as a file holds it; a keyword replaces an attribute of the record."""
    fields: list[dict[str, Any]] = [{"name": n, "type": ["null", t], "default": None} for n, t in _TYPES.items()]
    fields.append({"name": "SyncID", "type": "long"})
    texts = {"type": "map", "values": "string"}
    fields += [{"name": name, "type": texts, "default": {}} for name in ("unknown_fields", "unparsed_values")]
    return {"type": "record", "name": "Wide", "namespace": "test", "business_key": "Key", "fields": fields} | changes


def wide_schema(**changes: Any) -> FeedSchema:
    given = document(**changes)
    assert not problems(given)
    return parse(given, Path("somewhere/kind/wide.avsc"))
