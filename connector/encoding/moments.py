"""Dates and times of the ERP as Avro numbers.

Must not know what a value that is neither is done with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from connector.encoding import binary
from connector.encoding.fields import Unfit

_DATE = re.compile(r"([0-9]{4})(?:([0-9]{2})([0-9]{2})|-([0-9]{2})-([0-9]{2}))")
_TIMESTAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,3})0*)?Z?")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_CAPACITY = 16_384


def days(text: str) -> int:
    """Days since 1970-01-01 of `YYYYMMDD` or `YYYY-MM-DD` (Cienapps API, both spellings of its tables).

    Raises:
        Unfit: it is no date of the years 1 to 9999.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise Unfit
    year, *rest = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, *rest).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Unfit from None


def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of `YYYY-MM-DD HH:MM:SS.mmm` in UTC (Cienapps API, "String Date UTC").

    A T instead of the space, a Z at the end, fewer decimals or none are the same time; zeros after the third too.

    Raises:
        Unfit: it is no such time, or more exact than a millisecond.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise Unfit
    day, clock, fraction = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        raise Unfit from None
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    return seconds * 1000 + (int(fraction.ljust(3, "0")) if fraction else 0)


class Moments(dict[object, bytes]):
    """Nullable Avro values by the ERP's text, worked out when first asked for; forgotten all at once when many.

    Asking for what is no text, or does not fit, raises Unfit. None is null.
    """

    def __init__(self, parse: Callable[[str], int]) -> None:
        super().__init__({None: binary.NULL})
        self._parse = parse

    def __missing__(self, text: object) -> bytes:
        if not isinstance(text, str):
            raise Unfit
        value = binary.PRESENT + binary.long(self._parse(text))
        if len(self) >= _CAPACITY:
            self.clear()
            self[None] = binary.NULL
        self[text] = value
        return value


DATES = Moments(days)
TIMESTAMPS = Moments(milliseconds)
