"""Why a notification cannot become a record: the sentences, and how the field is found.

Must not know Avro. This is the slow side of a rare case: it reads the JSON again, in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container

from connector.errors import BadNotification
from connector.model import Notification

_SURROGATE = re.compile("[\ud800-\udfff]")
ASK = "ask the ERP's supplier, its list is wrong there"
"""What to do about it, the end of every sentence here."""


def refusal(reason: str, sync_id: int, what: str) -> BadNotification:
    """The error for one notification.

    Args:
        reason: for the metric's label.
        sync_id: which notification.
        what: ends the sentence; names fields of the schema, never a value.
    """
    return BadNotification(reason, f"SyncID {sync_id} {what}", sync_id=sync_id)


def unreadable(notification: Notification, known: Container[str]) -> BadNotification:
    """Why these bytes are no JSON object of valid text."""
    sync_id = notification.sync_id
    is_text = is_utf8(notification.raw)
    try:
        pairs = _pairs(notification.raw.decode("utf-8", "surrogateescape"))
    except RecursionError:
        return too_deep(sync_id)
    except json.JSONDecodeError as error:
        if is_text:
            return refusal("not_json", sync_id, f"is no valid JSON from character {error.pos} on: {ASK}")
        pairs = []
    if pairs is None:
        return refusal("not_an_object", sync_id, f"is no JSON object: {ASK}")
    field = next((name for name, value in pairs if _has_surrogate(name, value)), None)
    if not is_text:
        return refusal("not_utf8", sync_id, f"has bytes that are no UTF-8{_where(field, known)}: {ASK}")
    if field is None:
        return refusal("not_json", sync_id, f"is no valid JSON: {ASK}")
    return refusal("lone_surrogate", sync_id, f"has half a surrogate pair{_where(field, known)}: {ASK}")


def too_deep(sync_id: int) -> BadNotification:
    """It cannot be read to its end."""
    return refusal("too_deep", sync_id, f"nests its JSON too deeply to be read: {ASK}")


def repeated_name(raw: bytes) -> str | None:
    """A name that the record's object has twice, None when all differ; the record is known to be an object."""
    seen: set[str] = set()
    for name, _ in _pairs(raw.decode()) or ():
        if name in seen:
            return name
        seen.add(name)
    return None


def repeated(notification: Notification, name: str, known: Container[str]) -> BadNotification:
    """One name, two values: neither may be dropped (Invariant 2)."""
    return refusal("duplicate_key", notification.sync_id, f"has a name twice{_where(name, known)}: {ASK}")


def _where(name: str | None, known: Container[str]) -> str:
    """A name that no schema has may be anything, a person's too (Invariant 7)."""
    if name is None:
        return ""
    return f" in field {name}" if name in known else " in a field the schema does not name"


def _pairs(text: str) -> list[tuple[str, object]] | None:
    """Names and values of the outermost object in order, None when there is no object; numbers stay text."""
    found: list[list[tuple[str, object]]] = []

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found.append(pairs)
        return dict(pairs)

    def refuse(constant: str) -> object:
        raise json.JSONDecodeError("no JSON", text, text.find(constant))

    value = json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str, parse_constant=refuse)
    return found[-1] if isinstance(value, dict) else None  # the outermost object is the last one completed


def _has_surrogate(name: str, value: object) -> bool:
    return any(_SURROGATE.search(text) for text in (name, json.dumps(value, ensure_ascii=False)))


def is_utf8(raw: bytes) -> bool:
    """Whether the bytes are text."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
