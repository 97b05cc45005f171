"""The fast way gives the bytes of fastavro and of the plain way, and declines what it cannot."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.encoding.codec import SingleObjectEncoder
from connector.encoding.generated import generate, source
from connector.encoding.layout import Layout
from connector.encoding.plain import PlainEncoder
from connector.encoding.schemas import FeedSchema, load_schemas
from connector.encoding.single_object import prefix
from tests.fakes.erp_values import any_members, fitting_members
from tests.fakes.listed import DriftNotes, fixture_members, fixtures, written
from tests.fakes.wide_schema import wide_schema

SCHEMAS = {schema.name: schema for schema in load_schemas().values()} | {
    f"wide by {key}": wide_schema(business_key=key) for key in ("Key", "SyncID", "Text")
}
ORDER = load_schemas()["cienapps", "order"]
by_schema = pytest.mark.parametrize("name", SCHEMAS)


def reference(schema: FeedSchema, record: dict[str, Any]) -> bytes:
    out = io.BytesIO(prefix(schema.fingerprint))
    out.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


@by_schema
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_values_that_fit_are_written_as_fastavro_writes_them(name: str, data: st.DataObject) -> None:
    """Byte for byte, and by the generated way: nothing that the schema foresees is declined."""
    schema = SCHEMAS[name]
    raw, record = data.draw(fitting_members(schema))
    encoded = generate(schema, Layout(), DriftNotes()).encode(written(raw))
    assert encoded is not None
    assert encoded.value == reference(schema, record)


@by_schema
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_both_ways_agree_on_whatever_is_sent(name: str, data: st.DataObject) -> None:
    """What the generated way does not decline, the plain way encodes to the same record and reports the same drift."""
    schema = SCHEMAS[name]
    notification = written(data.draw(any_members(schema)))
    plainly, fast = DriftNotes(), DriftNotes()
    expected, names = PlainEncoder(schema, plainly).encode(notification)
    layout = Layout().grown(schema, names)
    encoded = generate(schema, layout, fast).encode(notification)
    if encoded is None:
        assert not fast.unknown
        assert not fast.unparseable
    else:
        assert encoded == expected
        assert fast == plainly


@pytest.mark.parametrize(("kind", "feed"), fixtures())
def test_the_documented_shape_goes_the_fast_way_from_the_second_on(kind: str, feed: str) -> None:
    """Extra fields of an example are learned from the first notification that has them."""
    notification = written(fixture_members(kind, feed))
    encoder = SingleObjectEncoder(load_schemas()[kind, feed], DriftNotes())
    first = encoder.encode(notification)
    assert encoder._fast(notification) == first


@pytest.mark.parametrize(
    "change",
    [
        {"Order_Title": '"NOTE: CALL: FIRST"'},
        {"Order_DateDue": '""'},
        {"Order_DateDue": "0"},
        {"Customer_DateCreate": "null"},
        {"Customer_City": '"QU\\u00c9BEC"'},
        {"Order_Title": json.dumps("A" * 4095)},
    ],
    ids=str,
)
def test_an_everyday_variation_is_not_declined(change: dict[str, str]) -> None:
    """Colons, empty dates, escapes and long texts do not cost the fast way."""
    encoder = generate(ORDER, Layout(), DriftNotes())
    assert encoder.encode(written(fixture_members("cienapps", "order") | change)) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"Order_Number": '"8812"'},
        {"Order_Number": "8812.0"},
        {"Order_Number": "9223372036854775808"},
        {"Order_DateDue": '"20230231"'},
        {"Order_DateDue": "-0"},
        {"Order_Title": json.dumps("A" * 4096)},
        {"Order_Title": '"\\ud800"'},
        {"Unheard_Of": "1"},
    ],
    ids=str,
)
def test_what_does_not_fit_is_declined(change: dict[str, str]) -> None:
    """None means: ask the plain way."""
    encoder = generate(ORDER, Layout(), DriftNotes())
    assert encoder.encode(written(fixture_members("cienapps", "order") | change)) is None


@pytest.mark.parametrize("second", ["8812", "8813", "null"])
def test_a_name_twice_is_declined(second: str) -> None:
    """JSON parsers keep the last of two; which one the ERP means is not for us to say."""
    listed = written(fixture_members("cienapps", "order"))
    raw = listed.raw.removesuffix(b"}") + f',"Order_Number":{second}}}'.encode()
    encoder = generate(ORDER, Layout(), DriftNotes())
    assert encoder.encode(listed) is not None
    assert encoder.encode(type(listed)(21, raw, b"")) is None


def test_another_sync_id_than_listed_is_declined() -> None:
    """The record's own SyncID is compared, not trusted."""
    listed = written(fixture_members("cienapps", "order"))
    assert generate(ORDER, Layout(), DriftNotes()).encode(type(listed)(22, listed.raw, b"")) is None


def test_bytes_that_are_no_text_in_an_extra_value_are_declined() -> None:
    """The library does not look into raw values; the encoder does."""
    listed = written(fixture_members("cienapps", "order") | {"Extra": '"?"'})
    layout = Layout(extra=("Extra",))
    encoder = generate(ORDER, layout, DriftNotes())
    assert encoder.encode(listed) is not None
    assert encoder.encode(type(listed)(21, listed.raw.replace(b"?", b"\xff"), b"")) is None


def test_a_name_made_to_look_like_code_stays_a_comment() -> None:
    """Names from the ERP cannot enter the generated program."""
    text = source(ORDER, Layout(extra=("\u2028import os\x85os.abort()",)))
    assert "import os" not in [line.strip() for line in text.splitlines()]
    compile(text, "generated", "exec")
