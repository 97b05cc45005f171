"""What every schema owes its readers; runs once per schema found, nothing to write when one is added."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import avro.io
import avro.schema
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.encoding.codec import SingleObjectEncoder
from connector.encoding.fields import RAW_TEXTS, Field, Shape
from connector.encoding.schemas import FeedSchema, load_schemas
from connector.encoding.single_object import PREFIX_BYTES
from connector.model import Notification
from tests.fakes.erp_values import fitting_members
from tests.fakes.listed import (
    FIXTURES,
    DriftNotes,
    documented_examples,
    documented_members,
    fixtures,
    members,
    notification,
    written,
)

SCHEMAS = load_schemas()
FEEDS = sorted(SCHEMAS)
DOCUMENTED = documented_examples()
needs_document = pytest.mark.skipif(not DOCUMENTED, reason="the ERP's own document is not beside this checkout")
by_feed = pytest.mark.parametrize("feed", FEEDS, ids="/".join)
by_documented_feed = pytest.mark.parametrize("feed", sorted(DOCUMENTED) or ["none"])


def read_by_fastavro(schema: FeedSchema, value: bytes) -> dict[str, Any]:
    body = io.BytesIO(value[PREFIX_BYTES:])
    record: dict[str, Any] = fastavro.schemaless_reader(body, json.loads(schema.path.read_text()), None)
    assert not body.read()
    return record


def read_by_apache_avro(schema: FeedSchema, value: bytes) -> dict[str, Any]:
    body = io.BytesIO(value[PREFIX_BYTES:])
    reader = avro.io.DatumReader(avro.schema.parse(schema.path.read_text()))
    record: dict[str, Any] = reader.read(avro.io.BinaryDecoder(body))  # type: ignore[no-untyped-call]
    assert not body.read()
    return record


READERS = {"fastavro": read_by_fastavro, "apache avro": read_by_apache_avro}
by_reader = pytest.mark.parametrize("reader", READERS)


def meant(field: Field, sent: Any) -> Any:
    """What a documented value of the ERP says, worked out without the code under test."""
    if sent is None:
        return None
    match field.type.shape:
        case Shape.DATE:
            return dt.datetime.strptime(sent, "%Y-%m-%d" if "-" in sent else "%Y%m%d").replace(tzinfo=dt.UTC).date()
        case Shape.TIMESTAMP:
            return dt.datetime.strptime(sent, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=dt.UTC)
        case Shape.BOOLEAN:
            return bool(sent)
        case _:
            return sent


def assert_equal_to_what_was_sent(schema: FeedSchema, text: str, record: dict[str, Any]) -> None:
    sent = json.loads(text)
    of_schema = {field.name: field for field in schema.fields}
    for name, field in of_schema.items():
        assert record[name] == meant(field, sent.get(name)), name
        assert type(record[name]) is type(meant(field, sent.get(name))), name
    raw = members(text)
    assert record["unknown_fields"] == {name: raw[name] for name in sorted(sent.keys() - of_schema.keys())}
    assert record["unparsed_values"] == {}


def encoded(schema: FeedSchema, listed: Notification) -> list[bytes]:
    """The first time, by the plain way where names are new, and the second, by the generated one."""
    encoder = SingleObjectEncoder(schema, DriftNotes())
    return [encoder.encode(listed).value for _ in range(2)]


@by_reader
@pytest.mark.parametrize("feed", fixtures(), ids="/".join)
def test_the_committed_example_reads_as_it_was_sent(feed: tuple[str, str], reader: str) -> None:
    """Field by field, dates as dates, times as times, by two readers that know nothing of us."""
    schema = SCHEMAS[feed]
    text = (FIXTURES / feed[0] / f"{feed[1]}.json").read_text().strip().strip("[]").strip()
    for value in encoded(schema, notification(text.encode(), json.loads(text)[schema.sync_id])):
        assert_equal_to_what_was_sent(schema, text, READERS[reader](schema, value))


@needs_document
@by_reader
@by_documented_feed
def test_the_documents_own_example_reads_as_it_was_sent(feed: str, reader: str) -> None:
    """The example printed in the ERP's document, as it stands there."""
    schema, text = SCHEMAS["cienapps", feed], DOCUMENTED[feed]
    for value in encoded(schema, notification(text.encode(), json.loads(text)[schema.sync_id])):
        assert_equal_to_what_was_sent(schema, text, READERS[reader](schema, value))


@needs_document
@by_documented_feed
def test_the_fields_are_those_of_the_documents_table(feed: str) -> None:
    """Every name the table has, in its order, and no other."""
    assert [field.name for field in SCHEMAS["cienapps", feed].fields] == documented_members()[feed]


@needs_document
@by_documented_feed
def test_the_committed_example_has_the_documents_shape(feed: str) -> None:
    """The same names in the same order, with values of the same JSON types, of people made up anew."""
    ours = json.loads((FIXTURES / "cienapps" / f"{feed}.json").read_text())[0]
    theirs = json.loads(DOCUMENTED[feed])
    assert [(name, type(value)) for name, value in ours.items()] == [(n, type(v)) for n, v in theirs.items()]


@by_feed
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_fitting_value_reads_as_it_was_sent(feed: tuple[str, str], data: st.DataObject) -> None:
    """For both readers, whatever the feed: this needs no example."""
    schema = SCHEMAS[feed]
    raw, expected = data.draw(fitting_members(schema))
    value = SingleObjectEncoder(schema, DriftNotes()).encode(written(raw)).value
    assert read_by_fastavro(schema, value) == expected
    assert read_by_apache_avro(schema, value) == expected


@by_feed
def test_every_field_is_explained(feed: tuple[str, str]) -> None:
    """A sentence that says what the field means; the record has one too."""
    schema = SCHEMAS[feed].schema
    for entry in [schema, *schema["fields"]]:
        assert entry["doc"].endswith("."), entry["name"]


@by_feed
def test_personal_fields_are_tagged(feed: tuple[str, str]) -> None:
    """A name, a phone, an address, a user name: information about a person. The maps may hold any of it."""
    schema = SCHEMAS[feed]
    telling = ("Name", "Phone", "Address", "City", "PostalCode", "Customer_Rep")
    expected = {field.name for field in schema.fields if field.name.endswith(telling)} | {*RAW_TEXTS}
    assert expected <= {*schema.personal_fields}
    assert schema.sync_id not in schema.personal_fields
    assert schema.business_key not in schema.personal_fields  # it is copied into a header (Invariant 7)


def test_the_documented_feeds_have_examples() -> None:
    """The tests above that run once per committed example ran."""
    assert {("cienapps", feed) for feed in ("order", "quotation", "workorder")} <= {*fixtures()}
