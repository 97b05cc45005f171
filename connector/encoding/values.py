"""One raw JSON value into one Avro value, by the type of its field; plain and exact, one rule a function.

Must not know records: what is done with a value that does not fit is the caller's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation

import msgspec

from connector.encoding import binary
from connector.encoding.fields import FieldType, Shape, Unfit
from connector.encoding.moments import days, milliseconds

Converter = Callable[[bytes], bytes]
"""From JSON text without space around it, known to be valid, to the Avro value without its branch; raises Unfit."""

_INT64_DIGITS = 20
_FLOAT_DIGITS = 6
_BOOLEANS = {b"true": b"\x01", b"false": b"\x00", b"1": b"\x01", b"0": b"\x00", b"-0": b"\x00"}
_decode_string = msgspec.json.Decoder(str).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def converter(of: FieldType) -> Converter:
    """What writes the values of a field's type."""
    scalar = _decimal(of) if of.shape is Shape.DECIMAL else _SCALARS[of.shape]
    return _array(scalar) if of.is_array else scalar


def text_of(raw: bytes) -> str:
    """The text of a JSON string.

    Raises:
        Unfit: it is no string.
    """
    if not raw.startswith(b'"'):
        raise Unfit
    return _decode_string(raw)


def _integer(raw: bytes, bits: int) -> bytes:
    if len(raw) > _INT64_DIGITS or not raw.removeprefix(b"-").isdigit():
        raise Unfit  # 1.0 and 1e3 are not what an integer is written as
    number = int(raw)
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise Unfit
    return binary.long(number)


def _int(raw: bytes) -> bytes:
    return _integer(raw, 32)


def _long(raw: bytes) -> bytes:
    return _integer(raw, 64)


def _string(raw: bytes) -> bytes:
    return binary.string(text_of(raw))


def _boolean(raw: bytes) -> bytes:
    if raw not in _BOOLEANS:
        raise Unfit
    return _BOOLEANS[raw]


def _date(raw: bytes) -> bytes:
    return binary.long(days(text_of(raw)))


def _timestamp(raw: bytes) -> bytes:
    return binary.long(milliseconds(text_of(raw)))


def _number(raw: bytes) -> Decimal:
    if raw[:1] not in b"-0123456789":
        raise Unfit
    try:
        return Decimal(raw.decode())
    except InvalidOperation:  # an exponent beyond what Decimal can hold
        raise Unfit from None


def _double(raw: bytes) -> bytes:
    number = _number(raw)
    value = float(number)
    if not math.isfinite(value) or Decimal(repr(value)) != number:
        raise Unfit
    return struct.pack("<d", value)


def _float(raw: bytes) -> bytes:
    number = _number(raw)
    try:
        packed = struct.pack("<f", float(number))
    except OverflowError:
        raise Unfit from None
    (value,) = struct.unpack("<f", packed)
    if number not in (Decimal(value), Decimal(f"{value:.{_FLOAT_DIGITS}g}")):
        raise Unfit
    return packed


def _decimal(of: FieldType) -> Converter:
    exact = Context(prec=of.precision, traps=[Inexact, InvalidOperation])
    step = Decimal(1).scaleb(-of.scale)

    def write(raw: bytes) -> bytes:
        try:
            unscaled = int(_number(raw).quantize(step, context=exact).scaleb(of.scale, context=exact))
        except (Inexact, InvalidOperation):
            raise Unfit from None
        size = (abs(unscaled).bit_length() + 8) // 8  # as fastavro writes it: a byte more than needed for -128
        return binary.long(size) + unscaled.to_bytes(size, "big", signed=True)

    return write


def _array(scalar: Converter) -> Converter:
    def write(raw: bytes) -> bytes:
        if not raw.startswith(b"["):
            raise Unfit
        return binary.blocks([scalar(bytes(item)) for item in _decode_items(raw)])

    return write


_SCALARS: dict[Shape, Converter] = {
    Shape.BOOLEAN: _boolean,
    Shape.INT: _int,
    Shape.LONG: _long,
    Shape.FLOAT: _float,
    Shape.DOUBLE: _double,
    Shape.STRING: _string,
    Shape.DATE: _date,
    Shape.TIMESTAMP: _timestamp,
}
