"""Notifications as an ERP would list them, made from committed fixtures, and someone who notes drift."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.identity import content_hash
from connector.model import Notification

FIXTURES = Path(__file__).parent / "fixtures"
_DOCUMENT = Path(__file__).parents[3] / "shared" / "seeds"  # the ERP's own document, where this checkout has it beside


@dataclass
class DriftNotes:
    """A DriftObserver that remembers."""

    unknown: list[str] = field(default_factory=list)
    unparseable: list[str] = field(default_factory=list)

    def unknown_field(self, name: str) -> None:
        self.unknown.append(name)

    def unparseable_value(self, field: str) -> None:
        self.unparseable.append(field)


def notification(raw: bytes, sync_id: int) -> Notification:
    return Notification(sync_id, raw, content_hash(raw))


def members(text: str) -> dict[str, str]:
    """The raw JSON text of each member of an object, by name."""
    decoder = json.JSONDecoder()
    space = re.compile(r"[ \t\r\n]*")
    found: dict[str, str] = {}
    at = space.match(text, text.index("{") + 1).end()  # type: ignore[union-attr]  # it matches nothing too
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        at = space.match(text, at).end() + 1  # type: ignore[union-attr]
        at = space.match(text, at).end()  # type: ignore[union-attr]
        _, end = decoder.raw_decode(text, at)
        found[name] = text[at:end]
        at = space.match(text, end).end()  # type: ignore[union-attr]
        at = space.match(text, at + 1).end() if text[at] == "," else at  # type: ignore[union-attr]
    return found


def written(raw_by_name: Mapping[str, str]) -> Notification:
    """A notification of members given as raw JSON texts."""
    text = ",".join(f"{json.dumps(name, ensure_ascii=False)}:{raw}" for name, raw in raw_by_name.items())
    return notification(f"{{{text}}}".encode(), int(raw_by_name["SyncID"]))


def fixture_members(kind: str, feed: str) -> dict[str, str]:
    """The committed example of a feed, as raw JSON texts by name."""
    return members((FIXTURES / kind / f"{feed}.json").read_text())


def fixtures() -> list[tuple[str, str]]:
    """(kind, feed) of every committed example."""
    return sorted((p.parent.name, p.stem) for p in FIXTURES.glob("*/*.json") if p.stem != "oddities")


def oddities(kind: str) -> list[dict[str, Any]]:
    """What an ERP sends beside what it documents, one situation each."""
    cases: list[dict[str, Any]] = json.loads((FIXTURES / kind / "oddities.json").read_text())
    return cases


def documented_examples() -> dict[str, str]:
    """The first example of each feed in the ERP's own document, by feed; empty where the document is not here."""
    found: dict[str, str] = {}
    for feed, part in _documented().items():
        start = part.index("{", part.index("Exemple"))
        _, end = json.JSONDecoder().raw_decode(part, start)
        found[feed] = part[start:end]
    return found


def documented_members() -> dict[str, list[str]]:
    """The names in each feed's table of the ERP's own document, in order."""
    row = re.compile(r"^(\w+) \| ", re.MULTILINE)
    return {feed: row.findall(part.split("---|")[-1].split("Exemple")[0]) for feed, part in _documented().items()}


def _documented() -> dict[str, str]:
    """The part of the ERP's own document about each feed."""
    found: dict[str, str] = {}
    for path in sorted(_DOCUMENT.glob("*.txt")) if _DOCUMENT.is_dir() else []:
        parts = re.split(r"/api/sync/(\w+)/list\)", path.read_text())
        found |= zip(parts[1::2], parts[2::2], strict=True)
    return found
