"""The fast way: Python source that reads and writes one feed's notifications, made from its schema and layout.

Must not know what happens to notifications it declines (it returns None): the plain way takes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import msgspec

from connector.encoding import binary
from connector.encoding.drift import DriftObserver
from connector.encoding.fields import Field, Shape, Unfit
from connector.encoding.layout import Layout, row_type
from connector.encoding.moments import DATES, TIMESTAMPS
from connector.encoding.plain import text_entry
from connector.encoding.schemas import FeedSchema
from connector.encoding.single_object import prefix
from connector.encoding.values import converter
from connector.model import Notification, Record

FastEncode = Callable[[Notification], Record | None]

_HEAD = """\
def encode(notification):
    try:
        raw = notification.raw
        row = decode(raw)
        names = {always}  # that the notification has
        colons = 0  # beside those after a name
        unparsed = []
"""

_EXTRAS_HEAD = """\
unknown = []
extras = []
within = 0  # names inside of extra values
"""

_SOMETIMES = """\
if v{n} is UNSET:
    v{n} = None
else:
    names += 1
"""

_KEYS = {
    Shape.STRING: 'key = "" if v{n} is None else v{n}.strip()\n',
    Shape.LONG: 'key = "" if v{n} is None else str(v{n})\n',
    Shape.INT: 'key = "" if v{n} is None else str(v{n})\n',
}

_STRING = """\
if v{n} is None:
    s{n} = NULL
    v{n} = b""
else:
    v{n} = v{n}.encode()
    s{n} = PRESENT_SIZES[len(v{n})]
"""

_MOMENT = """\
if v{n}:
    v{n} = %s
elif v{n} is None:
    v{n} = NULL
else:
    if v{n} == 0 and minus_zero(raw):
        return None  # the raw text may be -0
    unparsed.append(ZERO_{n} if v{n} == 0 else BLANK_{n})
    v{n} = NULL
"""

_NUMBER = "v{n} = NULL if v{n} is None else PRESENT + long(v{n})\n"
_FRACTION = "v{n} = NULL if v{n} is None or v{n} == JSON_NULL else PRESENT + CONVERT_{n}(bytes(v{n}))\n"
_LIST = "v{n} = NULL if v{n} is None else PRESENT + {write}(v{n})\n"

_SCALARS = {
    Shape.BOOLEAN: "v{n} = BOOLEANS[v{n}]\n",
    Shape.INT: _NUMBER,
    Shape.LONG: _NUMBER,
    Shape.STRING: _STRING,
    Shape.DATE: _MOMENT % "DATES[v{n}]",
    Shape.TIMESTAMP: _MOMENT % "TIMESTAMPS[v{n}]\n    colons += 2",
}
_LISTS = {Shape.INT: "longs", Shape.LONG: "longs", Shape.STRING: "strings"}

_EXTRA = """\
x{n} = row.x{n}
if x{n} is not UNSET:
    x{n} = text(x{n})
    names += 1
    colons += x{n}.count(b":")
    within += x{n}.count(b'":')
    unknown.append(b"".join((ENTRY_{n}, long(len(x{n})), x{n})))
    extras.append(NAME_{n})
"""

# The first test costs less and tells nearly always; values with a colon of their own need the second.
_TAIL = """\
if raw.count(b":") != names + colons and raw.count(b'":') != names{within}:
    return None  # perhaps a name twice
if v{sync_id} != notification.sync_id:
    return None
v{sync_id} = long(v{sync_id})
"""

_END = """\
    except MISMATCH:
        return None
"""

_REPORT = """\
    for name in extras:
        unknown_field(name)
"""

_RETURN = """\
    return record
"""

_MISMATCH = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError, Unfit)


@dataclass(frozen=True, slots=True)
class Generated:
    """The compiled encoder and what it was compiled from."""

    source: str
    encode: FastEncode


def generate(schema: FeedSchema, layout: Layout, drift: DriftObserver) -> Generated:
    """An encoder for notifications with the names of a layout and values that fit; None for any other."""
    text = source(schema, layout)
    namespace = _namespace(schema, layout, drift)
    code = compile(text, f"<{schema.kind}/{schema.feed}>", "exec")
    exec(code, namespace)  # noqa: S102  our own text; names of the schema and the ERP enter it as comments
    return Generated(text, namespace["encode"])


def source(schema: FeedSchema, layout: Layout) -> str:
    """The encoder's text, for people to read."""
    body = "".join(_body(schema, layout))
    head = _HEAD.format(always=len(schema.fields) - len(layout.sometimes))
    return head + indent(body, " " * 8) + _END + (_REPORT if layout.extra else "") + _RETURN


def _body(schema: FeedSchema, layout: Layout) -> Iterator[str]:
    numbers = {field.name: number for number, field in enumerate(schema.fields)}
    for field in schema.fields:
        number = numbers[field.name]
        yield f"v{number} = row.v{number}  # {field.name}: {field.type}\n"
        if field.name in layout.sometimes:
            yield _SOMETIMES.format(n=number)
        if field.name == schema.business_key:
            yield _KEYS[field.type.shape].format(n=number)
        if field.name != schema.sync_id:  # that one is compared first
            yield _write(field, number)
    if layout.extra:
        yield _EXTRAS_HEAD
    for number, name in enumerate(layout.extra):
        yield f"# {name!a}\n" + _EXTRA.format(n=number)
    yield _TAIL.format(sync_id=numbers[schema.sync_id], within=" + within" if layout.extra else "")
    yield _record(schema, layout)


def _write(field: Field, n: int) -> str:
    """What turns v{n} from what msgspec read into bytes."""
    if field.type.is_array:
        return _LIST.format(n=n, write=_LISTS[field.type.shape])
    return _SCALARS.get(field.type.shape, _FRACTION).format(n=n)


def _record(schema: FeedSchema, layout: Layout) -> str:
    pieces = ["PREFIX"]
    for number, field in enumerate(schema.fields):
        is_string = field.type.shape is Shape.STRING and not field.type.is_array
        pieces += [f"s{number}", f"v{number}"] if is_string else [f"v{number}"]
    pieces += ["blocks(unknown)" if layout.extra else "NO_TEXTS", "blocks(unparsed) if unparsed else NO_TEXTS"]
    value = f'b"".join(({", ".join(pieces)}))'
    return (
        f"value = {value}\n"
        "sync_id = notification.sync_id\n"
        "record = Record(sync_id, notification.content_hash, key or str(sync_id), value)\n"
    )


def _namespace(schema: FeedSchema, layout: Layout, drift: DriftObserver) -> dict[str, Any]:
    """Every name the source uses."""
    names: dict[str, Any] = {
        "decode": msgspec.json.Decoder(row_type(schema, layout)).decode,
        "PREFIX": prefix(schema.fingerprint),
        "unknown_field": drift.unknown_field,
        **_CONSTANTS,
    }
    for number, field in enumerate(schema.fields):
        names[f"BLANK_{number}"] = text_entry(field.name, b'""')
        names[f"ZERO_{number}"] = text_entry(field.name, b"0")
        names[f"CONVERT_{number}"] = converter(field.type)
    for number, name in enumerate(layout.extra):
        names[f"NAME_{number}"] = name
        names[f"ENTRY_{number}"] = binary.string(name)
    return names


def _text(raw: msgspec.Raw) -> bytes:
    """The raw JSON text; UnicodeDecodeError where it is no text, which msgspec does not look for in a Raw."""
    text = bytes(raw)
    if not text.isascii():
        text.decode()
    return text


def _strings(texts: list[str]) -> bytes:
    return binary.blocks([binary.string(text) for text in texts])


_CONSTANTS: dict[str, Any] = {
    "BOOLEANS": {None: binary.NULL, False: binary.PRESENT + b"\x00", True: binary.PRESENT + b"\x01"},
    "DATES": DATES,
    "JSON_NULL": msgspec.Raw(b"null"),
    "MISMATCH": _MISMATCH,
    "NO_TEXTS": binary.EMPTY_BLOCKS,
    "NULL": binary.NULL,
    "PRESENT": binary.PRESENT,
    "PRESENT_SIZES": binary.PRESENT_SIZES,
    "Record": Record,
    "TIMESTAMPS": TIMESTAMPS,
    "UNSET": msgspec.UNSET,
    "blocks": binary.blocks,
    "long": binary.long,
    "longs": binary.longs,
    "minus_zero": re.compile(rb"[:\s]-0").search,
    "strings": _strings,
    "text": _text,
}
