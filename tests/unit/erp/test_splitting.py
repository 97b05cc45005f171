"""Cutting a list that arrives in any portions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.erp.splitting import Splitter
from connector.errors import Blocked, ConnectorError, Retriable

WHITESPACE = st.text(" \t\n\r", max_size=3)
TEXT = st.text(st.sampled_from('{}[],:"\\ aé😀') | st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
RECORDS = st.lists(
    st.builds(lambda fields, sync_id: {**fields, "SyncID": sync_id}, st.dictionaries(TEXT, VALUES), st.integers(0, 99)),
    max_size=12,
)


def split(portions: Iterable[bytes], **options: int) -> tuple[list[bytes], list[int]]:
    splitter = Splitter("GET /list at erp.example", **options)
    pieces = [piece for portion in portions if (piece := splitter.feed(portion))]
    pieces.append(splitter.finish())
    return (
        [bytes(record) for piece in pieces for record in piece.records],
        [sync_id for piece in pieces for sync_id in piece.sync_ids],
    )


def portions_of(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@st.composite
def listed(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Some records' exact bytes, and a list of them formatted in any way JSON allows."""
    options = {"ensure_ascii": draw(st.booleans()), "indent": draw(st.sampled_from([None, 0, 1]))}
    records = [json.dumps(record, **options).encode() for record in draw(RECORDS)]
    text = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + draw(WHITESPACE).encode() + b"["
    for index, record in enumerate(records):
        comma = b"," if index else b""
        text += comma + draw(WHITESPACE).encode() + record + draw(WHITESPACE).encode()
    return records, text + draw(WHITESPACE).encode() + b"]" + draw(WHITESPACE).encode()


@given(listed(), st.integers(1, 40), st.integers(1, 60))
def test_any_list_in_any_portions_gives_its_records_exact_bytes(
    given_list: tuple[list[bytes], bytes], portion_bytes: int, piece_bytes: int
) -> None:
    """Formatting, portions and brackets in strings change nothing."""
    records, text = given_list
    found, sync_ids = split(portions_of(text, portion_bytes), piece_bytes=piece_bytes)
    assert found == records
    assert sync_ids == [json.loads(record)["SyncID"] for record in records]


@given(listed(), st.data(), st.integers(1, 40), st.integers(1, 60))
def test_a_list_cut_off_anywhere_is_truncated(
    given_list: tuple[list[bytes], bytes], data: st.DataObject, portion_bytes: int, piece_bytes: int
) -> None:
    """Retriable, never Blocked, and never a list."""
    text = given_list[1].rstrip()
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Retriable) as raised:
        split(portions_of(text[:cut], portion_bytes), piece_bytes=piece_bytes)
    assert raised.value.reason == "truncated"


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([*b'[]{},:"\\ 1ae-.', 0xFF, 0xC3, 0xA9]), max_size=40).map(bytes),
    st.sampled_from([(b"", b""), (b"[{", b"}]")]),
    st.integers(1, 10),
)
def test_arbitrary_bytes_are_a_right_list_or_an_error(
    noise: bytes, around: tuple[bytes, bytes], piece_bytes: int
) -> None:
    """The standard library's parser, told to be strict, is the judge."""
    text = noise.join(around)
    try:
        found = [json.loads(record) for record in split(portions_of(text, 7), piece_bytes=piece_bytes)[0]]
    except ConnectorError:
        found = None
    try:
        expected = json.loads(text.decode("utf-8-sig"), parse_constant=int)
    except ValueError:
        expected = None
    is_list = isinstance(expected, list) and all(isinstance(element, dict) for element in expected)
    assert found == (expected if is_list else None)


def test_arrays_of_objects_inside_records_are_not_taken_for_records() -> None:
    """Where guessing from the end fails, brackets are counted."""
    records = [
        b'{"SyncID":%d,"lines":[%s]}' % (sync_id, b",".join([b'{"SyncID":5,"t":"},{"}'] * 200)) for sync_id in range(50)
    ]
    found, sync_ids = split(portions_of(b"[" + b",".join(records) + b"]", 1000), piece_bytes=2000)
    assert found == records
    assert sync_ids == list(range(50))


def test_a_string_that_has_not_ended_is_not_looked_into() -> None:
    """What looks like records in it is text."""
    records = [b'{"SyncID":1}', b'{"SyncID":2,"t":"},{},{},{}"}']
    text = b"[" + b",".join(records) + b"]"
    found, _ = split([text[:-6], text[-6:]], piece_bytes=10)
    assert found == records


def test_a_huge_record_costs_no_more_than_its_length() -> None:
    """Twenty megabytes full of places that look like a record's end are looked at a few times, not once for each."""
    record = b'{"SyncID":1,"lines":[' + b",".join([b'{"a":"},{"}'] * 1_700_000) + b"]}"
    begun = time.process_time()
    found, sync_ids = split(portions_of(b"[" + record + b"]", 65536))
    assert found == [record]
    assert sync_ids == [1]
    assert time.process_time() - begun < 20


def test_a_record_beyond_the_limit_is_refused() -> None:
    """It blocks before it fills the memory."""
    text = b'[{"SyncID":1,"a":"' + b"x" * 5000
    with pytest.raises(Blocked) as raised:
        split(portions_of(text, 100), piece_bytes=100, record_limit_bytes=2000)
    assert raised.value.reason == "record_too_large"


def test_a_list_longer_than_the_limit_of_a_record_is_none_of_its_business() -> None:
    """The limit is for one record."""
    records = [b'{"SyncID":%d}' % sync_id for sync_id in range(500)]
    found, _ = split(portions_of(b"[" + b",".join(records) + b"]", 100), piece_bytes=100, record_limit_bytes=200)
    assert found == records


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<!DOCTYPE html><html>", "login_page"),
        (b"\xef\xbb\xbf \n<html>", "login_page"),
        (b'{"error":"no"}', "not_json_array"),
        (b"null", "not_json_array"),
        (b'"[]"', "not_json_array"),
        (b"[1]", "not_json_array"),
        (b"[ null", "not_json_array"),
        (b'[{"a":1},2]', "not_json_array"),
        (b'[{"a":1},]', "not_json_array"),
        (b"[] []", "not_json_array"),
        (b'[{"a":1}],{"b":1}]', "not_json_array"),
        (b'[{"a":NaN}]', "not_json_array"),
        (b"\xff\xfe[\x00]\x00", "not_utf8"),
        (b'[{"a":"caf\xe9"}]', "not_utf8"),
        (b'[{"a":"\xed\xa0\x80"}]', "not_utf8"),
        (b'[{"caf\xe9":1}]', "not_utf8"),
    ],
)
@pytest.mark.parametrize("portion_bytes", [1, 1000])
def test_what_is_no_list_is_blocked(text: bytes, reason: str, portion_bytes: int) -> None:
    """The reason tells which kind, the message where, and never what was received."""
    with pytest.raises(Blocked) as raised:
        split(portions_of(text, portion_bytes), piece_bytes=4)
    assert raised.value.reason == reason
    assert "GET /list at erp.example" in raised.value.message
    assert "caf" not in raised.value.message


@pytest.mark.parametrize("text", [b"", b" \n", b"\xef", b"\xef\xbb\xbf", b"[", b"[ ", b'[{"a":-', b'[{"a":1.'])
def test_an_empty_or_unfinished_answer_is_truncated(text: bytes) -> None:
    """It is pulled again."""
    with pytest.raises(Retriable) as raised:
        split([text])
    assert raised.value.reason == "truncated"


def test_malformed_json_is_refused_before_its_end() -> None:
    """A list that can never be one is not collected."""
    splitter = Splitter("GET /list", piece_bytes=100)
    with pytest.raises(Blocked):
        splitter.feed(b'[{"a":nonsense' + b"x" * 100)


@pytest.mark.parametrize(
    ("text", "at"), [(b"[", None), (b"[]", None), (b"[ \n{}", 3), (b"\xef\xbb\xbf [{}", 5), (b" ", None)]
)
def test_the_first_record_is_seen_as_it_begins(text: bytes, at: int | None) -> None:
    """One brace is enough."""
    splitter = Splitter("GET /list")
    seen = []
    for byte in text:
        splitter.feed(bytes([byte]))
        seen.append(splitter.shows_record)
    assert (seen.index(True) if True in seen else None) == at


def test_the_position_of_wrong_text_is_counted_from_the_lists_beginning() -> None:
    """Earlier pieces count."""
    good = b'{"SyncID":1}'
    text = b"[" + b",".join([good] * 50) + b',{"a":"\xff"}]'
    with pytest.raises(Blocked) as raised:
        split(portions_of(text, 10), piece_bytes=40)
    assert f"byte {text.index(0xFF)} " in raised.value.message
