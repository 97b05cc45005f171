"""The demo's figures: the sandbox's truth against what the consumer really printed.

Must not know how either came about, nor how the figures are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol


class Told(Protocol):
    """What the sandbox tells of one notification."""

    @property
    def sync_id(self) -> int:
        """Its SyncID."""

    @property
    def feed(self) -> str:
        """Its feed."""

    @property
    def confirmed_at(self) -> float | None:
        """When it was confirmed; None while it is pending."""


class Shown(NamedTuple):
    """One line of the consumer, decoded."""

    feed: str
    partition: int
    sync_id: str
    value: dict[str, Any]
    is_repeated: bool


class Seen:
    """What the consumer printed: every record's topic, key and content, and how often.

    Args:
        topics: the feed of each topic.
    """

    def __init__(self, topics: Mapping[str, str]) -> None:
        self._topics = topics
        self.records: Counter[tuple[str, str, bytes]] = Counter()
        self.first_at: float | None = None
        self.last_at: float | None = None

    def note(self, line: bytes, now: float) -> Shown:
        """Take in one line.

        Args:
            line: a JSON object with topic, partition, key and value.
            now: seconds on a clock that never goes back.
        """
        told = json.loads(line)
        feed = self._topics.get(told["topic"], told["topic"])
        content = blake2b(json.dumps(told["value"], sort_keys=True).encode(), digest_size=16).digest()
        identity = (feed, told["key"], content)
        self.records[identity] += 1
        self.first_at = now if self.first_at is None else self.first_at
        self.last_at = now
        return Shown(feed, told["partition"], told["key"], told["value"], self.records[identity] > 1)

    @property
    def seconds(self) -> float:
        """From the first record to the last, at least one second."""
        if self.first_at is None or self.last_at is None:
            return 1.0
        return max(1.0, self.last_at - self.first_at)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the notifications fared."""

    created: int
    published: int
    """Different records that the consumer printed."""
    confirmed: int
    duplicated: int
    """Records that the consumer printed beyond the first time."""
    lost: int
    """Confirmed to the ERP, and never printed by the consumer."""
    pending: int
    unexpected: int
    """Different records that no notification explains: an unknown SyncID, or a second content of a known one."""
    lag: float | None
    """Seconds, as the connector's /status has it; None when it did not answer."""
    records_per_second: float

    @property
    def problems(self) -> list[str]:
        """What is not as it has to be, in words."""
        told = (
            (self.lost, "lost: confirmed to the ERP and never seen by the consumer"),
            (self.duplicated, "seen by the consumer more than once"),
            (self.unexpected, "published that no notification explains"),
            (self.pending, "still pending in the ERP"),
        )
        return [f"{count} {what}" for count, what in told if count]

    @property
    def exit_code(self) -> int:
        """0 when every notification was published once and confirmed, otherwise 1."""
        return 1 if self.problems else 0


def judge(truth: Iterable[Told], seen: Seen, *, lag: float | None) -> Figures:
    """Compare the ERP's truth with what the consumer printed."""
    keys = {(feed, key) for feed, key, _ in seen.records}
    known: set[tuple[str, str]] = set()
    confirmed = lost = 0
    for one in truth:
        key = (one.feed, str(one.sync_id))
        known.add(key)
        if one.confirmed_at is not None:
            confirmed += 1
            lost += key not in keys
    return Figures(
        created=len(known),
        published=len(seen.records),
        confirmed=confirmed,
        duplicated=seen.records.total() - len(seen.records),
        lost=lost,
        pending=len(known) - confirmed,
        unexpected=len(seen.records) - len(known & keys),
        lag=lag,
        records_per_second=round(len(seen.records) / seen.seconds, 1),
    )
