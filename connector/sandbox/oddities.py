"""Gives a record's fields the odd types that an ERP may show one day: each is still the same fact, written otherwise.

Must not know the business. The SyncID and the business key are left alone: without them there is no notification.
"""

from __future__ import annotations

from random import Random

from connector.sandbox.documented import KEY_FIELDS, FeedName
from connector.sandbox.paperwork import Fields, chance, pick

_ODD_SHARE = 0.3
_NULL_SHARE = 0.2  # of the odd ones
_BEYOND_32_BITS = 2**31
_DATE_DIGITS = 8
_FLAGS = ("WorkOrder_BackOrder", "WorkOrder_Close")
_UNKNOWN: tuple[tuple[str, object], ...] = (
    ("Order_Priority", "RUSH"),
    ("Custom_Weight_Kg", 12.5),
    ("Custom_Tags", ["VIP", "LIVRAISON TÔT"]),
    ("Custom_Extra", {"Level": 3, "Note": None}),
)


def made_odd(feed: FeedName, fields: Fields, rng: Random) -> Fields:
    """A copy in which about a third of the fields are odd, at least one unknown field included."""
    odd = {
        name: value if name == KEY_FIELDS[feed] or not chance(rng, _ODD_SHARE) else _odd_value(name, value, rng)
        for name, value in fields.items()
    }
    name, value = pick(rng, _UNKNOWN)
    odd[name] = value
    return odd


def _odd_value(name: str, value: object, rng: Random) -> object:
    if chance(rng, _NULL_SHARE):
        return None
    if name in _FLAGS:
        return bool(value)
    if "_Date" in name:
        return _odd_date(value, rng)
    if isinstance(value, int):
        return pick(rng, (str(value), value + _BEYOND_32_BITS))
    if isinstance(value, list):
        return [item + _BEYOND_32_BITS for item in value]
    return f"{value}  " if isinstance(value, str) else value


def _odd_date(value: object, rng: Random) -> object:
    if isinstance(value, str) and len(value) == _DATE_DIGITS:
        return pick(rng, (f"{value[:4]}-{value[4:6]}-{value[6:]}", int(value), "00000000"))
    return pick(rng, ("", 0))
