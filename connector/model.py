"""The values that travel between the rooms: what a feed is, what it tells, what goes to Kafka.

Must not know where any of them come from or go to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec


@dataclass(frozen=True, slots=True)
class Feed:
    """One list of a site, one entity; its names in Kafka are permanent."""

    app: str
    site: str
    name: str
    kind: str
    topic: str
    dead_letter_topic: str

    @property
    def transactional_id(self) -> str:
        """The identity that fencing works on: one producer at a time holds it."""
        return f"{self.app}.{self.site}.{self.name}"

    @property
    def watermark_group(self) -> str:
        """The consumer group whose committed offsets are the feed's watermark."""
        return f"{self.transactional_id}.confirmed"

    def __str__(self) -> str:
        return f"{self.site}.{self.name}"


# The two values below exist once per record: a msgspec struct is made in a tenth of a frozen dataclass's time
# (benchmarks/stages.py) and, holding no reference to a container, stays out of the garbage collector's way.
class Notification(msgspec.Struct, frozen=True, gc=False):
    """One change as the feed tells it; its identity is the pair (SyncID, content hash)."""

    sync_id: int
    raw: bytes
    """The record's bytes exactly as listed."""
    content_hash: bytes
    """HASH_BYTES bytes, see `connector.identity`."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """What goes to Kafka for one notification."""

    sync_id: int
    content_hash: bytes
    business_key: str
    """What the partition is chosen by: the trimmed text of the schema's business key, or of the SyncID where null."""
    value: bytes


class Point(StrEnum):
    """The named points of a session: a process may die at any of them (docs/failures.md has the table)."""

    AFTER_FENCE = "after_fence"
    IN_SCAN = "in_scan"
    BEFORE_PRODUCE = "before_produce"
    BETWEEN_BATCHES = "between_batches"
    BEFORE_COMMIT = "before_commit"
    DURING_COMMIT = "during_commit"
    AFTER_COMMIT = "after_commit"
    BEFORE_CONFIRM = "before_confirm"
    AFTER_CONFIRM = "after_confirm"
    AFTER_MARK = "after_mark"


class State(StrEnum):
    """What a feed is doing, one at a time: the label of the state gauge and the word in /status."""

    STARTING = "starting"
    CAUGHT_UP = "caught_up"
    DELIVERING = "delivering"
    BACKING_OFF = "backing_off"
    BLOCKED = "blocked"
    STOPPED = "stopped"
