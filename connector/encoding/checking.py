"""What is wrong with a schema, all of it at once, in words for the person who wrote it.

Must not know files or folders; the caller says which file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from connector.encoding.fields import RAW_TEXTS, SUPPORTED, Field, FieldType, Shape, field_type, split_null

_RAW_TEXTS_TYPE = {"type": "map", "values": "string"}
_KEY_SHAPES = frozenset({Shape.STRING, Shape.LONG, Shape.INT})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # Avro 1.12 specification, "Names"
_NAME_RULE = "letters, digits and _, no digit first"
_INVALID = (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, AttributeError)  # of fastavro


def problems(schema: object) -> list[str]:
    """Every reason why this parsed JSON cannot be a feed's schema; empty when it can."""
    if not isinstance(schema, Mapping) or schema.get("type") != "record":
        return ["is no Avro record: the whole file is one object with type record"]
    entries = schema.get("fields")
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        return ["has no list of fields"]
    found = [
        *_name_problems(schema, entries),
        *_field_problems(schema, entries),
        *_raw_text_problems(entries),
        *_key_problems(schema, entries),
    ]
    return found or list(_avro_problems(schema))


def erp_fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    """The ERP's fields of a schema without problems, in its order: all but the two maps of raw texts."""
    for entry in schema["fields"]:
        node, is_nullable = split_null(entry["type"])
        of = field_type(node)
        if entry["name"] not in RAW_TEXTS and of is not None:
            yield Field(entry["name"], of, is_nullable, entry.get("personal") is True)


def sync_id_field(schema: Mapping[str, Any]) -> str:
    """The field that holds the identity of a notification; SyncID unless the record's sync_id names another."""
    return str(schema.get("sync_id", "SyncID"))


def _avro_problems(schema: Mapping[str, Any]) -> Iterator[str]:
    try:
        fastavro.parse_schema(dict(schema))
    except _INVALID as error:
        yield f"is no valid Avro schema: {type(error).__name__} {error}"


def _name_problems(schema: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> Iterator[str]:
    """What fastavro does not look at; generated code relies on it."""
    for attribute in ("name", "namespace"):
        given = schema.get(attribute, "")
        if not isinstance(given, str) or (given and not all(map(_NAME.fullmatch, given.split(".")))):
            yield f"{attribute} {given!a} is no Avro name: {_NAME_RULE}, dots between several"
    names = [entry.get("name") for entry in entries]
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield f"field {name!a} has no Avro name: {_NAME_RULE}"
    for name, count in Counter(map(str, names)).items():
        if count > 1:
            yield f"field {name}: stands there {count} times; keep one"


def _field_problems(schema: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> Iterator[str]:
    sync_id = sync_id_field(schema)
    for entry in entries:
        name = entry.get("name")
        if name in RAW_TEXTS or name == sync_id:
            continue
        node, is_nullable = split_null(entry.get("type"))
        if field_type(node) is None:
            yield f'field {name}: its type is not supported; write ["null", T] with T one of {SUPPORTED}'
        elif not is_nullable or "default" not in entry or entry["default"] is not None:
            yield f'field {name}: is not nullable with default null; write "type": ["null", T], "default": null'


def _raw_text_problems(entries: list[Mapping[str, Any]]) -> Iterator[str]:
    if tuple(entry.get("name") for entry in entries[-2:]) != RAW_TEXTS:
        yield f"does not end with the fields {RAW_TEXTS[0]} and {RAW_TEXTS[1]}: add them last, in this order"
    for entry in entries:
        is_right = entry.get("type") == _RAW_TEXTS_TYPE and entry.get("default") == {}
        if entry.get("name") in RAW_TEXTS and not is_right:
            yield f'field {entry["name"]}: write "type": {{"type": "map", "values": "string"}}, "default": {{}}'


def _key_problems(schema: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> Iterator[str]:
    by_name = {entry.get("name"): entry for entry in entries}
    sync_id = sync_id_field(schema)
    if sync_id not in by_name or field_type(by_name[sync_id].get("type")) != FieldType(Shape.LONG):
        yield f'field {sync_id}: the identity of a notification is missing or not required; write "type": "long"'
    key = schema.get("business_key")
    if not isinstance(key, str) or key not in by_name:
        yield "has no business key: name the field that changes are kept in order by, as business_key of the record"
        return
    of = field_type(split_null(by_name[key].get("type"))[0])
    if of is None or of.is_array or of.shape not in _KEY_SHAPES:
        yield f"business_key {key}: must be a field of type string, long or int"
