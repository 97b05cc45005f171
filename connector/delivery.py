"""THE loop: pull, encode, publish, settle, confirm.

Must not know HTTP, Avro or Kafka: it sees them through the protocols below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from connector.model import Notification, Record


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
