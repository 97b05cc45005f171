"""One raw value into one field: exact, or not at all."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.encoding.fields import FieldType, Shape, Unfit
from connector.encoding.values import converter

MONEY = FieldType(Shape.DECIMAL, precision=6, scale=2)
AVRO: dict[FieldType, Any] = {
    FieldType(shape): str(shape) for shape in (Shape.INT, Shape.LONG, Shape.FLOAT, Shape.DOUBLE, Shape.BOOLEAN)
} | {MONEY: {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}}


def read(of: FieldType, raw: str) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(converter(of)(raw.encode())), AVRO[of], None)


@pytest.mark.parametrize(
    ("shape", "raw"),
    [
        (Shape.INT, "2147483648"),
        (Shape.INT, "-2147483649"),
        (Shape.LONG, "9223372036854775808"),
        (Shape.LONG, "-9223372036854775809"),
        (Shape.LONG, "1.0"),
        (Shape.LONG, "1e3"),
        (Shape.LONG, "true"),
        (Shape.LONG, '"1"'),
        (Shape.LONG, "9" * 5000),
        (Shape.BOOLEAN, "2"),
        (Shape.BOOLEAN, "1.0"),
        (Shape.BOOLEAN, '"true"'),
        (Shape.DOUBLE, "0.12345678901234567890"),
        (Shape.DOUBLE, "9007199254740993"),
        (Shape.DOUBLE, "1e400"),
        (Shape.DOUBLE, "1e-400"),
        (Shape.DOUBLE, "1e999999999999999999999"),
        (Shape.DOUBLE, '"1.5"'),
        (Shape.FLOAT, "0.12345678"),
        (Shape.FLOAT, "16777217"),
        (Shape.FLOAT, "1e39"),
        (Shape.FLOAT, "1e400"),
        (Shape.STRING, "1"),
        (Shape.STRING, '["a"]'),
        (Shape.DATE, "20231103"),
        (Shape.TIMESTAMP, "0"),
    ],
)
def test_a_value_that_would_be_changed_is_refused(shape: Shape, raw: str) -> None:
    """No rounding, no cutting, no guessing at another type."""
    with pytest.raises(Unfit):
        converter(FieldType(shape))(raw.encode())


@pytest.mark.parametrize("raw", ["0.001", "10000", "9999.999", "1e4", "1e999999999", "1e-999999999", '"1.5"', "[1]"])
def test_a_decimal_with_too_many_digits_is_refused(raw: str) -> None:
    """Neither beyond the scale nor beyond the precision."""
    with pytest.raises(Unfit):
        converter(MONEY)(raw.encode())


@pytest.mark.parametrize(
    "raw", ["0", "-0.00", "1.5", "1.50", "-1.28", "9999.99", "-9999.99", "12e2", "1.5000", "0e-99"]
)
def test_a_decimal_that_fits_is_itself(raw: str) -> None:
    """Zeros at the end change nothing."""
    assert read(MONEY, raw) == Decimal(raw)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_as_json_writes_it(number: float) -> None:
    """The shortest text of a double, which JavaScript and Python write, reads back as that double."""
    assert read(FieldType(Shape.DOUBLE), json.dumps(number)) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_a_fraction_is_kept_or_refused(number: Decimal) -> None:
    """A double that is taken has the digits that were sent."""
    try:
        value = read(FieldType(Shape.DOUBLE), f"{number:f}")
    except Unfit:
        return
    assert Decimal(repr(value)) == number


@pytest.mark.parametrize("raw", ["0.1", "1.5", "123456", "0.015625", "16777216", "-3.4e38", "-0"])
def test_a_float_of_few_digits_is_kept(raw: str) -> None:
    """Six digits survive 32 bits, and so does any number that is exact in them."""
    value = read(FieldType(Shape.FLOAT), raw)
    assert Decimal(raw) in {Decimal(value), Decimal(f"{value:.6g}")}


@pytest.mark.parametrize("raw", ["[null]", '["1"]', "[1, 2.0]", "[[1]]", "1", '{"a": 1}'])
def test_a_list_with_one_wrong_item_is_refused_whole(raw: str) -> None:
    """A list with a hole would be another list."""
    with pytest.raises(Unfit):
        converter(FieldType(Shape.LONG, is_array=True))(raw.encode())
