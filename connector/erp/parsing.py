"""Reads the text of a JSON array: its elements' exact bytes, and the SyncID of each.

Must not know how the text arrived. The parser is msgspec; what it does beside the standard is said at each place.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

Records = list[msgspec.Raw] | list[bytes]
NO_SYNC_ID: Final = -1

_LARGEST_SYNC_ID: Final = 2**63 - 1
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_HARMLESS: Final = rb"\\ufffd"  # as long as what it replaces
_MISSING = re.compile(r"invalid (?:character|number) \(byte (\d+)\)")


class _Identified(msgspec.Struct, gc=False):
    # A number that overflowed below zero has lost its place in the order, so it is none.
    SyncID: Annotated[int, msgspec.Meta(ge=0, le=_LARGEST_SYNC_ID)]


_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])
_IDENTIFIED = msgspec.json.Decoder(list[_Identified])
_ONE_IDENTIFIED = msgspec.json.Decoder(_Identified)


class Malformed(Exception):
    """The text is not a JSON array.

    Args:
        is_truncation: whether it is the beginning of one.
    """

    def __init__(self, *, is_truncation: bool) -> None:
        super().__init__("truncated" if is_truncation else "malformed")
        self.is_truncation = is_truncation


def records_of(text: bytes) -> Records:
    """The elements' exact bytes; UTF-8 is not checked, msgspec looks at what it decodes only.

    Raises:
        Malformed: it is no array, or not all of one.
    """
    try:
        return _RECORDS.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        if _SURROGATE.search(text):
            return _records_beside_surrogates(text)
        raise Malformed(is_truncation=_is_truncation(error, len(text))) from error


def sync_ids_of(text: bytes, records: Records) -> list[int]:
    """The SyncID of each record, NO_SYNC_ID where it is not a JSON integer from 0 to 2^63 - 1.

    Of equal keys the last counts, as for every JSON parser in use.

    Raises:
        TypeError: an element is no object.
    """
    try:
        return [record.SyncID for record in _IDENTIFIED.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return [_sync_id(bytes(record)) for record in records]  # at least one has none: look at each


def _sync_id(record: bytes) -> int:
    if not record.startswith(b"{"):
        msg = "an element of the array is no object"
        raise TypeError(msg)
    try:
        return _ONE_IDENTIFIED.decode(_SURROGATE.sub(_HARMLESS, record)).SyncID
    except (msgspec.DecodeError, RecursionError):
        return NO_SYNC_ID


def _records_beside_surrogates(text: bytes) -> list[bytes]:
    """As `records_of`, for text in which half of an emoji was cut off: JSON allows its escape, msgspec does not.

    Whether such a record can be delivered is for the encoder to say; its neighbours can.
    """
    harmless = _SURROGATE.sub(_HARMLESS, text)
    try:
        stand_ins = _RECORDS.decode(harmless)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(is_truncation=_is_truncation(error, len(text))) from error
    records = []
    end = 1
    for stand_in in stand_ins:
        start = harmless.index(bytes(stand_in), end)
        end = start + len(stand_in)
        records.append(text[start:end])
    return records


def _is_truncation(error: Exception, length: int) -> bool:
    """Whether the text was understood up to its end: msgspec says so, or misses what belongs behind the last byte."""
    message = str(error)
    missing = _MISSING.search(message)
    return "truncated" in message or (missing is not None and int(missing[1]) >= length)
