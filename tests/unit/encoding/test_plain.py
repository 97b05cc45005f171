"""The rules, one odd situation each, and what cannot be a record at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.encoding.codec import SingleObjectEncoder
from connector.encoding.plain import PlainEncoder
from connector.encoding.reading import decode
from connector.encoding.schemas import load_schemas
from connector.errors import BadNotification
from tests.fakes.listed import DriftNotes, fixture_members, notification, oddities, written

SCHEMAS = load_schemas()
ORDER = SCHEMAS["cienapps", "order"]


def as_text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("case", oddities("cienapps"), ids=lambda case: case["situation"])
def test_an_odd_value(case: dict[str, Any]) -> None:
    """What fits goes in; what does not is null with its raw text beside it; nothing else changes."""
    feed, changed = case["feed"], case["raw"]
    usual = fixture_members("cienapps", feed)
    drift = DriftNotes()
    encoder = SingleObjectEncoder(SCHEMAS["cienapps", feed], drift)
    before = decode(encoder.encode(written(usual)).value, SCHEMAS)
    drift.unknown.clear()
    record = encoder.encode(written(usual | changed))
    after = decode(record.value, SCHEMAS)

    for name, expected in case.get("fields", {}).items():
        assert as_text(after[name]) == expected
    assert after["unparsed_values"] == {name: changed[name] for name in case.get("unparsed", [])}
    assert drift.unparseable == case.get("drift", [])
    known = {field.name for field in SCHEMAS["cienapps", feed].fields}
    extra = {name: raw for name, raw in (usual | changed).items() if name not in known}
    assert after["unknown_fields"] == extra
    assert drift.unknown == sorted(extra)
    untouched = known - changed.keys()
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    if "business_key" in case:
        assert record.business_key == case["business_key"]
    plainly = DriftNotes()
    assert PlainEncoder(SCHEMAS["cienapps", feed], plainly).encode(written(usual | changed))[0] == record
    assert plainly == drift


@pytest.mark.parametrize(
    ("raw", "reason", "place"),
    [
        (b'{"SyncID":21,"Order_Title":"\\ud800"}', "lone_surrogate", "field Order_Title"),
        (b'{"SyncID":21,"Order_Title":"\\udc00 x"}', "lone_surrogate", "field Order_Title"),
        (b'{"SyncID":21,"Order_Quotation_Number":[{"a":"\\ud83d"}]}', "lone_surrogate", "field Order_Quotation_Number"),
        (b'{"SyncID":21,"PAUL":"\\ud800"}', "lone_surrogate", "a field the schema does not name"),
        (b'{"SyncID":21,"\\ud800":1}', "lone_surrogate", "a field the schema does not name"),
        (b'{"SyncID":21,"Order_Title":"PAUL \xff"}', "not_utf8", "field Order_Title"),
        (b'{"SyncID":21,"PAUL":"\xff"}', "not_utf8", "a field the schema does not name"),
        (b'{"SyncID":21,"Order_Title":"\xed\xa0\x80"}', "not_utf8", "field Order_Title"),
        (b'{"SyncID":21,"PAUL":1}\xff', "not_utf8", "SyncID 21"),
        (b'{"SyncID":21,"Order_Title":"PAUL"', "not_json", "SyncID 21"),
        (b'{"SyncID":21,"Order_Number":NaN}', "not_json", "SyncID 21"),
        (b'{"SyncID":21,"Order_Title":"PA\nUL"}', "not_json", "SyncID 21"),
        (b'\xef\xbb\xbf{"SyncID":21}', "not_json", "SyncID 21"),
        (b"", "not_json", "SyncID 21"),
        (b'["PAUL"]', "not_an_object", "SyncID 21"),
        (b"21", "not_an_object", "SyncID 21"),
        (b'{"SyncID":21,"X":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", "SyncID 21"),
        (b'{"SyncID":21,"Order_Title":"PAUL","Order_Title":"PAUL"}', "duplicate_key", "field Order_Title"),
        (b'{"SyncID":21,"Order_T\\u0069tle":"PAUL","Order_Title":null}', "duplicate_key", "field Order_Title"),
        (b'{"SyncID":21,"PAUL":1,"PAUL":2}', "duplicate_key", "a field the schema does not name"),
        (b'{"SyncID":22}', "sync_id_mismatch", "field SyncID"),
        (b'{"SyncID":"21"}', "sync_id_mismatch", "field SyncID"),
        (b'{"SyncID":21.0}', "sync_id_mismatch", "field SyncID"),
        (b'{"Order_Title":"PAUL"}', "sync_id_mismatch", "field SyncID"),
    ],
)
def test_what_cannot_be_a_record(raw: bytes, reason: str, place: str) -> None:
    """It is refused with a reason that names the SyncID and the field, and no value, however it is printed."""
    drift = DriftNotes()
    with pytest.raises(BadNotification) as caught:
        SingleObjectEncoder(ORDER, drift).encode(notification(raw, 21))
    assert caught.value.reason == reason
    assert caught.value.sync_id == 21
    assert "SyncID 21" in caught.value.message
    assert place in caught.value.message
    assert "PAUL" not in caught.value.message
    assert caught.value.__context__ is None or "PAUL" not in repr(caught.value.__context__)
    assert drift == DriftNotes()


def test_a_sync_id_beyond_64_bits() -> None:
    """The one field that cannot be null refuses instead."""
    sync_id = 1 << 63
    with pytest.raises(BadNotification) as caught:
        PlainEncoder(ORDER, DriftNotes()).encode(notification(f'{{"SyncID":{sync_id}}}'.encode(), sync_id))
    assert caught.value.reason == "sync_id_too_large"


def test_a_name_twice_deep_inside_a_value_is_kept_as_text() -> None:
    """Only the record's own names are columns; what lies deeper stays as it was written."""
    record, _ = PlainEncoder(ORDER, DriftNotes()).encode(notification(b'{"SyncID":21,"X":{"a":1, "a":2}}', 21))
    assert decode(record.value, SCHEMAS)["unknown_fields"] == {"X": '{"a":1, "a":2}'}


def test_raw_texts_read_back_as_what_was_sent() -> None:
    """Quotes, spaces, zeros and escapes of a raw text are the ERP's own."""
    raw = {"SyncID": "21", "Order_DateDue": '"2023-13-45"', "X": '{ "a" : [ 1.50, "\\u00e9" ] }'}
    record, _ = PlainEncoder(ORDER, DriftNotes()).encode(written(raw))
    read = decode(record.value, SCHEMAS)
    assert read["unparsed_values"] == {"Order_DateDue": raw["Order_DateDue"]}
    assert read["unknown_fields"] == {"X": raw["X"]}
    assert json.loads(read["unknown_fields"]["X"]) == {"a": [1.5, "é"]}


def test_a_notification_with_a_sync_id_alone() -> None:
    """Every other field is nullable, and the business key is the SyncID then."""
    record, _ = PlainEncoder(ORDER, DriftNotes()).encode(notification(b'{"SyncID":21}', 21))
    read = decode(record.value, SCHEMAS)
    assert {name for name, value in read.items() if value is not None} == {
        "SyncID",
        "unknown_fields",
        "unparsed_values",
    }
    assert record.business_key == "21"
