"""Avro's binary encoding, as far as records of ours need it (Avro 1.12 specification, "Binary Encoding").

Must not know which field or feed the bytes belong to.
"""

from __future__ import annotations

from collections.abc import Sequence

NULL = b"\x00"
"""The first branch of `["null", T]`."""
PRESENT = b"\x02"
"""The second branch, before its value."""
EMPTY_BLOCKS = b"\x00"
"""A map or an array without entries."""

_LOW_BITS = 14
_LOW = 1 << _LOW_BITS
_SMALL_END = _LOW >> 1  # below it one look-up writes a number: counts, and the ERP's own numbers
_NEAR = 1 << 26  # below it two do: SyncIDs


def _varint(unsigned: int) -> bytes:
    out = bytearray()
    while unsigned > 0x7F:  # noqa: PLR2004  seven bits to a byte
        out.append(unsigned & 0x7F | 0x80)
        unsigned >>= 7
    out.append(unsigned)
    return bytes(out)


_SMALL = [_varint(number << 1) for number in range(_SMALL_END)]
_LOW_PAIRS = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(_LOW)]
_HIGH_PARTS = [_varint(high) for high in range((_NEAR << 1) >> _LOW_BITS)]


def long(number: int) -> bytes:
    """A number of 64 bits at most; zigzag, then seven bits to a byte."""
    if 0 <= number < _SMALL_END:
        return _SMALL[number]
    if 0 <= number < _NEAR:
        unsigned = number << 1
        return _LOW_PAIRS[unsigned & (_LOW - 1)] + _HIGH_PARTS[unsigned >> _LOW_BITS]
    return _varint((number << 1) ^ (number >> 63))


SIZES = _SMALL[:4096]
"""What stands before a string of so many bytes."""
PRESENT_SIZES = [PRESENT + size for size in SIZES]
"""The same in a nullable field."""


def string(text: str) -> bytes:
    """A string of any length."""
    encoded = text.encode()
    return long(len(encoded)) + encoded


def longs(numbers: Sequence[int]) -> bytes:
    """An array of numbers, in one block."""
    return blocks([long(number) for number in numbers])


def blocks(entries: Sequence[bytes]) -> bytes:
    """An array or a map of entries already written: their count, they, and the end, as fastavro writes them."""
    if not entries:
        return EMPTY_BLOCKS
    return b"".join((long(len(entries)), *entries, EMPTY_BLOCKS))
