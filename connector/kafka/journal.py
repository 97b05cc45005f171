"""The journal of one feed: what is already in Kafka, from Kafka itself, and the watermark that keeps it short.

Must not know what the records mean. See parts.Journal for the contract with the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient

from connector.errors import Blocked
from connector.kafka.connection import KafkaConnection
from connector.kafka.discarding import stop_consumer
from connector.kafka.mapping import FOREIGN, mapped
from connector.kafka.published import Published
from connector.kafka.published_slice import Place, short_hash
from connector.kafka.scanning import Span, assign, read, spans
from connector.kafka.watermark import Remark, from_metadata
from connector.model import Feed, Notification, Point, Record

T = TypeVar("T")

_SOON = (
    kafka.GroupCoordinatorNotAvailableError,
    kafka.NotCoordinatorForGroupError,
    kafka.GroupLoadInProgressError,
)
_SOON_SECONDS = 0.2
_FETCH_WAIT_MS = 50


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """How long things are kept, and how long they may take."""

    stale_list_seconds: float = 900.0
    """How long after a confirm the ERP's list may still show a notification."""
    mark_seconds: float = 10.0
    start_seconds: float = 30.0
    stalled_seconds: float = 90.0
    """Above the transaction timeout: until then somebody else's open transaction may hide our records."""
    commit_seconds: float = 10.0
    close_seconds: float = 3.0
    accepted_partitions: int | None = None
    """The number of partitions that an entity topic may have come to have since the last session."""


class KafkaJournal:
    """See parts.Journal.

    Args:
        feed: whose topics and watermark group.
        connection: where Kafka is.
        source: the fingerprint of the ERP, noted in the watermark's metadata.
        limits: how long things are kept and may take.
        now: wall-clock seconds.
        monotonic: seconds that never go back.
        reached: told the named points.
    """

    def __init__(  # noqa: PLR0913  one argument per part, each given once in app.py
        self,
        feed: Feed,
        connection: KafkaConnection,
        source: str,
        limits: JournalLimits,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        reached: Callable[[Point], None] = lambda _point: None,
    ) -> None:
        self._feed = feed
        self._connection = connection
        self._source = source
        self._limits = limits
        self._now = now
        self._monotonic = monotonic
        self._reached = reached
        self._published = Published()
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions = 0
        self._remarks: list[Remark] = []
        self._ends: dict[Place, int] = {}
        self._marked: dict[Place, int] = {}
        self._marked_at = monotonic()
        self.caught_up_at: float | None = None

    @property
    def highest(self) -> int | None:
        """The highest SyncID known to be in Kafka."""
        return self._published.highest

    async def scan(self, partitions: Mapping[str, int]) -> int:
        """Read everything above the watermark; see parts.Journal.scan."""
        self._published = Published()
        self._partitions = partitions[self._feed.topic]
        places = [(topic, number) for topic, count in partitions.items() for number in range(count)]
        try:
            async with asyncio.timeout(self._limits.start_seconds):
                watermark = await self._read_watermark(places)
                self._refuse_other_partitions()
                wanted = await spans(self._connection, places, watermark)
                consumer = await self._start_consumer(wanted)
            records = 0
            async for portion in read(consumer, wanted, self._limits.stalled_seconds, self._monotonic):
                self._reached(Point.IN_SCAN)
                records += portion.records
                if portion.pairs:
                    self._published.add(portion.pairs, portion.first_offsets, portion.oldest_seconds, shown=False)
            self._ends = {place: span.end for place, span in wanted.items()}
        except FOREIGN as error:
            raise mapped(error, "scanning", self._feed.watermark_group) from error
        self._marked = watermark
        return records

    def begin_listing(self) -> None:
        """See parts.Journal.begin_listing."""
        self._published.begin_listing()

    def split(self, offered: Sequence[Notification]) -> tuple[list[Notification], list[Notification]]:
        """See parts.Journal.split."""
        return self._published.split(offered, self._monotonic())

    def acked(self, records: Sequence[Record], offsets: Mapping[Place, tuple[int, int]], first_seen: float) -> None:
        """See parts.Journal.acked."""
        pairs = [(record.sync_id, short_hash(record.content_hash)) for record in records]
        firsts = {place: first for place, (first, _) in offsets.items()}
        self._published.add(pairs, firsts, first_seen, shown=True)
        for place, (first, count) in offsets.items():
            self._ends[place] = max(self._ends.get(place, 0), first + count)

    def confirmed(self, sync_ids: Sequence[int]) -> int:
        """See parts.Journal.confirmed."""
        return self._published.confirmed(sync_ids, self._monotonic())

    def perhaps_confirmed(self, sync_ids: Sequence[int]) -> None:
        """See parts.Journal.perhaps_confirmed."""
        self._published.perhaps_confirmed(sync_ids)

    def end_listing(self, highest: int | None) -> None:
        """See parts.Journal.end_listing."""
        self._published.end_listing(highest, self._monotonic())

    def pending(self) -> tuple[int, float | None]:
        """See parts.Journal.pending."""
        return self._published.pending(self._monotonic(), self._limits.stale_list_seconds)

    async def mark(self, *, caught_up_at: float | None, force: bool = False) -> int:
        """Move the watermark when it is due; see parts.Journal.mark."""
        now = self._monotonic()
        if caught_up_at is not None:
            self.caught_up_at = caught_up_at
        is_due = force or now - self._marked_at >= self._limits.mark_seconds
        if is_due and self._consumer is not None:
            self._published.forget_settled(now - self._limits.stale_list_seconds)
            target = {**self._ends, **self._published.lowest_offsets()}
            if target != self._marked or force:
                await self._commit(self._consumer, target)
                self._marked = target
                self._reached(Point.AFTER_MARK)
            self._marked_at = now
        return sum(end - self._marked.get(place, 0) for place, end in self._ends.items())

    async def close(self) -> None:
        """Give the consumer back; see parts.Journal.close."""
        consumer, self._consumer = self._consumer, None
        self._published = Published()
        if consumer is not None:
            await stop_consumer(consumer, self._limits.close_seconds)

    async def _read_watermark(self, places: Sequence[Place]) -> dict[Place, int]:
        admin = AIOKafkaAdminClient(**self._connection.client_options())
        asked = [TopicPartition(*place) for place in places]
        try:
            await admin.start()
            committed = await _patiently(
                lambda: admin.list_consumer_group_offsets(self._feed.watermark_group, partitions=asked)
            )
        except AttributeError as error:
            # aiokafka 0.14 looks for the error of one partition where its answer has none.
            raise kafka.UnknownError("a partition's committed offset cannot be read") from error
        finally:
            await admin.close()
        remarks = [from_metadata(found.metadata) for found in committed.values()]
        self._remarks = [remark for remark in remarks if remark is not None]
        times = [remark.caught_up_at for remark in self._remarks if remark.caught_up_at is not None]
        self.caught_up_at = max([*times, self.caught_up_at or 0.0]) or None
        return {(at.topic, at.partition): found.offset for at, found in committed.items() if found.offset >= 0}

    def _refuse_other_partitions(self) -> None:
        """With another number of partitions the changes of one order go to two of them (Invariant 3)."""
        known = {remark.partitions for remark in self._remarks}
        if not known or self._partitions in {*known, self._limits.accepted_partitions}:
            return
        message = (
            f"{self._feed.topic} had {max(known)} partitions and has {self._partitions}: later changes of an order"
            " would go to another partition than its earlier ones. When every consumer has read what is there, set"
            f" kafka.accept_partitions: {self._partitions}"
        )
        raise Blocked("partitions_changed", message)

    async def _start_consumer(self, wanted: Mapping[Place, Span]) -> AIOKafkaConsumer:
        self._consumer = consumer = AIOKafkaConsumer(
            **self._connection.client_options(),
            group_id=self._feed.watermark_group,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            check_crcs=self._connection.check_crcs,
        )
        await consumer.start()
        assign(consumer, wanted)
        return consumer

    async def _commit(self, consumer: AIOKafkaConsumer, target: Mapping[Place, int]) -> None:
        """Commit the watermark; an older instance can only move it back, which costs a longer scan."""
        metadata = Remark(self._partitions, self._source, self.caught_up_at).to_metadata()
        offsets = {TopicPartition(*place): OffsetAndMetadata(offset, metadata) for place, offset in target.items()}
        try:
            async with asyncio.timeout(self._limits.commit_seconds):
                await _patiently(lambda: consumer.commit(offsets))
        except FOREIGN as error:
            raise mapped(error, "marking", self._feed.watermark_group) from error


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the group's coordinator is being found or is loading; the caller's deadline bounds it."""
    while True:
        try:
            return await ask()
        except _SOON:
            await asyncio.sleep(_SOON_SECONDS)
