"""The parts around the loop, as the loop sees them: source, encoder, publisher, journal, observer.

Must not know who implements them. Each method says when it blocks, what it keeps in order, and what its errors make
the caller do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.confirming import ConfirmObserver
from connector.model import Notification, Record, State

Partitions = Mapping[str, int]
"""How many partitions each of the feed's topics has."""

Offsets = Mapping[tuple[str, int], tuple[int, int]]
"""By (topic, partition): the first offset of an acked slice, and how many records of it went there."""


class Listing(Protocol):
    """One complete list, validated to its end and kept in a spooled file until closed."""

    @property
    def count(self) -> int:
        """How many notifications the list shows."""

    @property
    def highest(self) -> int | None:
        """The highest SyncID it shows, None when it is empty."""

    def slices(self, max_records: int, max_bytes: int) -> Iterator[list[Notification]]:
        """Its notifications in SyncID order (listed order within one SyncID), in portions.

        Blocks for a disk read at most. A portion exceeds a bound only to keep one SyncID's notifications together,
        or to hold at least one.

        Raises:
            BadNotification: from here on the list cannot be ordered or read (no usable SyncID).
        """

    def close(self) -> None:
        """Give the spool's memory and disk back; allowed more than once."""


class Source(Protocol):
    """One feed of an ERP. Calls for one feed never overlap, except that `confirm` may run beside anything."""

    @property
    def fingerprint(self) -> str:
        """Which ERP this is (kind, base URL, tenant, mode), hashed; it tells when a site points somewhere else."""

    async def offers(self) -> bool:
        """Ask for the list and stop reading at its first record: is there anything at all?

        Raises:
            Retriable: back off and ask again.
            Blocked: the feed waits for a person.
        """

    async def pull(self) -> Listing:
        """Receive the whole list; returns only when it was complete and valid to its end.

        Raises:
            Retriable: nothing of this list counts; back off and pull again.
            Blocked: nothing of this list counts; the feed waits for a person.
        """

    async def confirm(self, sync_ids: Sequence[int]) -> None:
        """Tell the ERP that these are received. DESTRUCTIVE: they are never offered again.

        Returns when the ERP accepted all of them. Chunks are the source's business.

        Raises:
            Retriable: the outcome is unknown, or nothing was confirmed; a later list tells.
            Blocked: the ERP refuses confirms from this key.
        """


class Encoder(Protocol):
    """Makes records of notifications; does no input or output."""

    @property
    def content_type(self) -> str:
        """What the content-type header of every record says."""

    def encode(self, notification: Notification) -> Record:
        """The record of one notification.

        Raises:
            BadNotification: it cannot be made into a record; its feed holds before it.
        """


class Publisher(Protocol):
    """Holds the feed's transactional id, from fence to discard."""

    @property
    def max_value_bytes(self) -> int:
        """The largest value that one record may have."""

    async def fence(self) -> Partitions:
        """Take the transactional id: afterwards no older instance's transaction is open or can still commit.

        Raises:
            SessionLost: Kafka did not answer as it should.
            Blocked: a permission is missing.
        """

    async def publish(self, records: Sequence[Record]) -> Offsets:
        """Put the records into one transaction, in the order given, and commit it.

        Returns only after every record is acked and the commit is durable; the first offset and count by partition.

        Raises:
            SessionLost: the outcome is unknown; discard, fence, and let the scan tell.
            Blocked: a permission is missing.
        """

    async def discard(self) -> None:
        """Throw the producer away whatever its state; bounded, raises nothing."""


class Journal(Protocol):
    """What is already in Kafka and not yet confirmed for long enough."""

    @property
    def highest(self) -> int | None:
        """The highest SyncID known to be in Kafka, None when there is none."""

    @property
    def caught_up_at(self) -> float | None:
        """When the feed was last caught up, as an earlier session noted it; wall-clock seconds."""

    async def scan(self, partitions: Partitions) -> int:
        """Read everything above the watermark; to be called after the fence. Returns the number of records read.

        Raises:
            SessionLost: Kafka did not answer as it should.
            Blocked: what is there cannot be understood, or a permission is missing.
        """

    def begin_listing(self) -> None:
        """From here on `split` notes what the listing in hand shows."""

    def split(self, offered: Sequence[Notification]) -> tuple[list[Notification], list[Notification]]:
        """Those whose (SyncID, hash) is in Kafka, and those still to publish (one per pair)."""

    def acked(self, records: Sequence[Record], offsets: Offsets, first_seen: float) -> None:
        """These are in Kafka for good."""

    def confirmed(self, sync_ids: Sequence[int]) -> int:
        """The ERP accepted these; returns how many pairs were not known to be confirmed."""

    def perhaps_confirmed(self, sync_ids: Sequence[int]) -> None:
        """Their confirm failed, and some or all of them may be confirmed: a later listing tells."""

    def end_listing(self, highest: int | None) -> None:
        """The listing was complete: what may be confirmed and is not shown, below its highest SyncID, is confirmed.

        May be: the scan found it, or its confirm failed, perhaps after it was done. An empty listing proves nothing.
        """

    def pending(self) -> tuple[int, float | None]:
        """How many pairs the last listing showed that are not confirmed, and when the oldest was first seen."""

    async def mark(self, *, caught_up_at: float | None, force: bool = False) -> int:
        """Move the watermark when it is due (or forced); returns how many records lie above it.

        Raises:
            SessionLost: Kafka did not answer as it should.
        """

    async def close(self) -> None:
        """Give the consumer back and forget everything; bounded, raises nothing."""


class Observer(ConfirmObserver, Protocol):
    """Who is told; cheap, never raises, and nothing is ever read back from it to decide."""

    def state(self, state: State, reason: str | None = None, message: str | None = None) -> None:
        """What the feed does now."""

    def beat(self) -> None:
        """The feed's task is alive."""

    def pulled(self, count: int, seconds: float) -> None:
        """A complete list was received."""

    def pull_failed(self, reason: str) -> None:
        """A list was not received, or did not count."""

    def deduplicated(self, count: int) -> None:
        """So many listed notifications were in Kafka already."""

    def published(self, count: int, seconds_since_pull: float) -> None:
        """A slice is committed."""

    def abandoned(self, reason: str, count: int) -> None:
        """So many listed notifications were not published; they are listed again."""

    def regressed(self, count: int) -> None:
        """So many SyncIDs were first offered after a higher one was published."""

    def pending(self, count: int, oldest_first_seen: float | None) -> None:
        """What is listed and not yet confirmed."""

    def caught_up(self) -> None:
        """The pull had nothing left to publish or confirm."""

    def restored(self, caught_up_at: float | None) -> None:
        """What an earlier session noted."""

    def session_started(self) -> None:
        """Fencing begins."""

    def session_ended(self, reason: str) -> None:
        """The session is over."""

    def scanned(self, records: int, seconds: float) -> None:
        """The scan is complete."""

    def watermark_lag(self, records: int) -> None:
        """So many records lie above the watermark."""

    def publish_failed(self, reason: str) -> None:
        """A slice was not acked."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What one feed is delivered with."""

    source: Source
    encoder: Encoder
    publisher: Publisher
    journal: Journal
    observer: Observer
