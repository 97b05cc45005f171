"""Values read back."""

from __future__ import annotations

import pytest

from connector.encoding.codec import SingleObjectEncoder
from connector.encoding.reading import decode
from connector.encoding.schemas import load_schemas
from connector.errors import Blocked
from tests.fakes.listed import DriftNotes, fixture_members, written

SCHEMAS = load_schemas()
VALUE = (
    SingleObjectEncoder(SCHEMAS["cienapps", "order"], DriftNotes())
    .encode(written(fixture_members("cienapps", "order")))
    .value
)


def test_a_value_finds_its_schema() -> None:
    """By the fingerprint it carries, whatever topic it came from."""
    assert decode(VALUE, SCHEMAS)["Order_Number"] == 8812


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not_single_object"),
        (b'{"a": 1}', "not_single_object"),
        (VALUE[:9], "not_single_object"),
        (VALUE[:2] + bytes(8) + VALUE[10:], "unknown_fingerprint"),
        (VALUE[:40], "unreadable_value"),
        (VALUE[:10] + b"\xff" * 50, "unreadable_value"),
        (VALUE[:10] + b"\x02\x08\x08", "unreadable_value"),
    ],
)
def test_what_is_no_value_of_ours(value: bytes, reason: str) -> None:
    """The error says what it is instead."""
    with pytest.raises(Blocked) as caught:
        decode(value, SCHEMAS)
    assert caught.value.reason == reason


def test_the_error_names_the_fingerprints_there_are() -> None:
    """So that a person sees whether a release is missing."""
    with pytest.raises(Blocked, match=f"0000000000000000.*cienapps/order {VALUE[2:10].hex()}"):
        decode(VALUE[:2] + bytes(8), SCHEMAS)
