"""Encodes a notification field by field, by the rules alone: the way of every record that is not as expected.

Must not know the generated way, which is checked against this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from connector.encoding import binary
from connector.encoding.drift import DriftObserver
from connector.encoding.fields import Field, Shape, Unfit
from connector.encoding.refusal import ASK, is_utf8, refusal, repeated, repeated_name, too_deep, unreadable
from connector.encoding.schemas import FeedSchema
from connector.encoding.single_object import prefix
from connector.encoding.values import Converter, converter, text_of
from connector.model import Notification, Record

_NULL = b"null"
_NO_MOMENT = frozenset({b'""', b"0"})
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class PlainEncoder:
    """Makes records of notifications of one feed, whatever their shape.

    Args:
        schema: how the feed's records are written.
        drift: told what the schema does not foresee.
    """

    def __init__(self, schema: FeedSchema, drift: DriftObserver) -> None:
        self._drift = drift
        self._prefix = prefix(schema.fingerprint)
        self._columns = [(field, converter(field.type)) for field in schema.fields]
        self._names = frozenset(field.name for field in schema.fields)
        self._sync_id = schema.sync_id
        self._key = next(field for field in schema.fields if field.name == schema.business_key)

    def encode(self, notification: Notification) -> tuple[Record, AbstractSet[str]]:
        """The record, and the names that the notification has.

        Raises:
            BadNotification: no JSON object of valid text, a name twice, or not the SyncID it was listed by.
        """
        values = self._values(notification)
        pieces = [self._prefix]
        unparsed: dict[str, bytes] = {}
        for field, convert in self._columns:
            raw = values.get(field.name, _NULL)
            try:
                pieces.append(_column(field, raw, convert))
            except Unfit:  # Invariant 5
                if not field.is_nullable:
                    what = f"is no number of 64 bits, which {field.name} must be: {ASK}"
                    raise refusal("sync_id_too_large", notification.sync_id, what) from None
                pieces.append(binary.NULL)
                unparsed[field.name] = raw
        unknown = {name: values[name] for name in sorted(values.keys() - self._names)}
        pieces += [texts(unknown), texts(unparsed)]
        key = self._business_key(values) or str(notification.sync_id)
        self._report(unknown, unparsed)
        return Record(notification.sync_id, notification.content_hash, key, b"".join(pieces)), values.keys()

    def _values(self, notification: Notification) -> dict[str, bytes]:
        """Raw JSON texts by name, checked to be this notification's and complete."""
        raw = notification.raw
        try:
            members = _decode(raw) if is_utf8(raw) else None
            twice = None if members is None else repeated_name(raw)
        except RecursionError:
            raise too_deep(notification.sync_id) from None
        except msgspec.DecodeError:
            members = twice = None
        if members is None:
            # Outside of the except clause: on this error's chain, a foreign one could hold the record's text.
            raise unreadable(notification, self._names)
        if twice is not None:
            raise repeated(notification, twice, self._names)
        values = {name: bytes(value) for name, value in members.items()}
        if values.get(self._sync_id) != str(notification.sync_id).encode():
            what = f"is not the whole number that stands in its field {self._sync_id}: {ASK}"
            raise refusal("sync_id_mismatch", notification.sync_id, what)
        return values

    def _business_key(self, values: Mapping[str, bytes]) -> str:
        """The trimmed text of the key, so that 4700, "4700" and "4700 " are one; empty where there is none."""
        raw = values.get(self._key.name, _NULL)
        if raw == _NULL or raw[:1] in b"[{":
            return ""
        if raw.startswith(b'"'):
            return text_of(raw).strip()
        return "0" if raw == b"-0" and self._key.type.shape is not Shape.STRING else raw.decode()

    def _report(self, unknown: Iterable[str], unparsed: Mapping[str, bytes]) -> None:
        for name in unknown:
            self._drift.unknown_field(name)
        for field, _ in self._columns:
            raw = unparsed.get(field.name)
            if raw is not None and not (field.type.is_moment and raw in _NO_MOMENT):
                self._drift.unparseable_value(field.name)


def text_entry(name: str, raw: bytes) -> bytes:
    """One entry of a map of raw texts."""
    return binary.string(name) + binary.long(len(raw)) + raw


def texts(raw_by_name: Mapping[str, bytes]) -> bytes:
    """A map of raw texts."""
    return binary.blocks([text_entry(name, raw) for name, raw in raw_by_name.items()])


def _column(field: Field, raw: bytes, convert: Converter) -> bytes:
    if not field.is_nullable:
        return convert(raw)
    return binary.NULL if raw == _NULL else binary.PRESENT + convert(raw)
