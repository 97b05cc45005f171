"""Hypothesis strategies for what an ERP may send: values that fit a schema's field, and any JSON at all."""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from connector.encoding.fields import Field, Shape
from connector.encoding.schemas import FeedSchema

Sent = tuple[str, Any]
"""A value as the ERP writes it, and as a reader of the record must find it."""

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
_EVERYDAY_TEXT = TEXT.filter(lambda text: '":' not in json.dumps(text))  # else it looks like the end of a name
_INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
_INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
_FIRST, _LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999000)  # noqa: DTZ001  naive: UTC is added


def _quoted(text: str) -> st.SearchStrategy[str]:
    """Either way of writing non-ASCII text in JSON."""
    return st.booleans().map(lambda is_ascii: json.dumps(text, ensure_ascii=is_ascii))


def _day(day: dt.date) -> st.SearchStrategy[Sent]:
    plain = day.isoformat()
    return st.sampled_from([(f'"{plain}"', day), (f'"{plain.replace("-", "")}"', day)])


def _moment(moment: dt.datetime) -> st.SearchStrategy[Sent]:
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=dt.UTC)
    text = exact.replace(tzinfo=None).isoformat(timespec="milliseconds")
    spellings = [text, text.replace("T", " "), text + "Z", text.replace("T", " ") + "000"]
    if not exact.microsecond:
        spellings.append(text[:-4])
    return st.sampled_from([(f'"{spelling}"', exact) for spelling in spellings])


def _single(number: float) -> Sent:
    """The nearest number of six digits, which a 32-bit float keeps."""
    text = f"{number:.6g}"
    return text, struct.unpack("<f", struct.pack("<f", float(text)))[0]


def _decimal(field: Field) -> st.SearchStrategy[Sent]:
    most = 10**field.type.precision - 1
    return st.integers(-most, most).map(
        lambda unscaled: (
            f"{Decimal(unscaled).scaleb(-field.type.scale):f}",
            Decimal(unscaled).scaleb(-field.type.scale),
        )
    )


def _numbers(integers: st.SearchStrategy[int]) -> st.SearchStrategy[Sent]:
    return integers.map(lambda number: (str(number), number))


_BY_SHAPE: dict[Shape, Callable[[], st.SearchStrategy[Sent]]] = {
    Shape.BOOLEAN: lambda: st.sampled_from([("0", False), ("1", True), ("false", False), ("true", True)]),
    Shape.INT: lambda: _numbers(_INT32),
    Shape.LONG: lambda: _numbers(_INT64),
    Shape.FLOAT: lambda: (
        st.floats(-(2.0**99), 2.0**99, width=32).filter(lambda x: abs(x) > 1e-30 or x == 0).map(_single)
    ),
    Shape.DOUBLE: lambda: st.floats(allow_nan=False, allow_infinity=False).map(lambda x: (repr(x), x)),
    Shape.STRING: lambda: _EVERYDAY_TEXT.flatmap(lambda text: st.tuples(_quoted(text), st.just(text))),
    Shape.DATE: lambda: st.dates().flatmap(_day),
    Shape.TIMESTAMP: lambda: st.datetimes(_FIRST, _LAST).flatmap(_moment),
}


def fitting(field: Field) -> st.SearchStrategy[Sent]:
    """Values that go into a field as they are, null included where it may be."""
    scalar = _decimal(field) if field.type.shape is Shape.DECIMAL else _BY_SHAPE[field.type.shape]()
    if field.type.is_array:
        scalar = st.lists(scalar, max_size=5).map(
            lambda items: (f"[{', '.join(text for text, _ in items)}]", [value for _, value in items])
        )
    return st.one_of(st.just(("null", None)), scalar) if field.is_nullable else scalar


@st.composite
def fitting_members(draw: st.DrawFn, schema: FeedSchema) -> tuple[dict[str, str], dict[str, Any]]:
    """A notification that the schema foresees in full: its raw texts, and the record a reader must find."""
    sent = {field.name: draw(fitting(field)) for field in schema.fields}
    names = draw(st.permutations(list(sent)))
    raw = {name: sent[name][0] for name in names}
    return raw, {name: value for name, (_, value) in sent.items()} | {"unknown_fields": {}, "unparsed_values": {}}


JSON_TEXTS = st.one_of(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=5,
    ).map(json.dumps),
    st.sampled_from(
        ['""', "0", "-0", "1.0", "1e3", "-0.0", "2", '"20230231"', '"0000-00-00"', '"a\\u003a\\": b"', "1e999"]
    ),
    st.decimals(allow_nan=False, allow_infinity=False).map(
        lambda number: f"{number:f}" if abs(number.adjusted()) < 50 else "7"
    ),
)
"""Any value at all, as text."""


@st.composite
def any_members(draw: st.DrawFn, schema: FeedSchema) -> dict[str, str]:
    """A notification of which only the SyncID is sure: a few fields missing or odd, and names no schema has."""
    names = [field.name for field in schema.fields if field.name != schema.sync_id]
    missing, odd = (draw(st.sets(st.sampled_from(names), max_size=2)) for _ in range(2))
    raw = {
        field.name: draw(JSON_TEXTS) if field.name in odd else draw(fitting(field))[0]
        for field in schema.fields
        if field.name not in missing
    }
    extra = st.dictionaries(
        TEXT.filter(lambda name: name not in names and name != schema.sync_id), JSON_TEXTS, max_size=3
    )
    return raw | draw(extra)
