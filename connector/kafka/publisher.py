"""Publishes one feed's records: fence, one transaction per slice, discard.

Must not know what is in a record. The rules here (await every future before commit; a producer that has seen anything
but a fully acknowledged commit is thrown away) are not settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from connector.errors import ConnectorError, SessionLost
from connector.kafka.connection import KafkaConnection
from connector.kafka.discarding import discard
from connector.kafka.headers import HeaderWriter
from connector.kafka.mapping import FOREIGN, mapped
from connector.kafka.partitioning import partition_of
from connector.model import Feed, Point, Record

_HEADROOM_BYTES = 1024


@dataclass(frozen=True, slots=True)
class PublisherLimits:
    """Deadlines and sizes; none of them may weaken a guarantee."""

    start_seconds: float = 30.0
    slice_seconds: float = 45.0
    transaction_timeout_seconds: float = 60.0
    batch_bytes: int = 262_144
    max_message_bytes: int = 900_000
    """The least of what the feed's topics take and 900 kB: a larger batch fails, is not split, and kills a producer."""
    compression: str | None = "zstd"
    """aiokafka writes lz4 at its slowest level: four times the CPU of zstd, for batches a third larger."""


class TransactionObserver(Protocol):
    """Who is told how transactions go."""

    def transaction(self, result: str, seconds: float) -> None:
        """One transaction ended: "committed" or "failed"."""


Future = asyncio.Future[object]


class _Sent(NamedTuple):
    """One batch on its way."""

    partition: int
    records: int
    size: int
    future: Future


class KafkaPublisher:
    """The producer of one feed, from fence to discard; see parts.Publisher.

    Args:
        feed: whose transactional id and topics.
        connection: where Kafka is.
        headers: makes the headers of the feed's records.
        limits: deadlines and sizes.
        observer: told of each transaction.
        now: wall-clock seconds.
        reached: told the named points.
    """

    def __init__(  # noqa: PLR0913  one argument per part, each given once in app.py
        self,
        feed: Feed,
        connection: KafkaConnection,
        headers: HeaderWriter,
        limits: PublisherLimits,
        observer: TransactionObserver,
        now: Callable[[], float],
        reached: Callable[[Point], None] = lambda _point: None,
    ) -> None:
        self._feed = feed
        self._connection = connection
        self._headers = headers
        self._limits = limits
        self._observer = observer
        self._now = now
        self._reached = reached
        self._producer: AIOKafkaProducer | None = None
        self._partitions = 0
        self._batch_bytes = min(limits.batch_bytes, limits.max_message_bytes)
        self._message_bytes = limits.max_message_bytes
        self._refused: _Sent | None = None

    @property
    def max_value_bytes(self) -> int:
        """The largest value that one record may have, keys and headers set aside."""
        return self._message_bytes - _HEADROOM_BYTES

    async def fence(self) -> dict[str, int]:
        """Take the transactional id; see parts.Publisher.fence."""
        feed = self._feed
        limits = self._limits
        self._producer = producer = AIOKafkaProducer(
            **self._connection.client_options(),
            transactional_id=feed.transactional_id,
            transaction_timeout_ms=round(limits.transaction_timeout_seconds * 1000),
            acks="all",
            enable_idempotence=True,
            max_batch_size=self._batch_bytes,
            linger_ms=0,
            compression_type=limits.compression,
        )
        try:
            async with asyncio.timeout(limits.start_seconds):
                await producer.start()
                partitions = {
                    topic: len(await producer.partitions_for(topic)) for topic in (feed.topic, feed.dead_letter_topic)
                }
        except FOREIGN as error:
            raise mapped(error, "fencing", feed.transactional_id) from error
        self._partitions = partitions[feed.topic]
        return partitions

    async def publish(self, records: Sequence[Record]) -> dict[tuple[str, int], tuple[int, int]]:
        """One transaction; see parts.Publisher.publish."""
        begun = asyncio.get_running_loop().time()
        result = "failed"
        try:
            async with asyncio.timeout(self._limits.slice_seconds):
                offsets = await self._transaction(self._fenced(), records)
            result = "committed"
        except FOREIGN as error:
            wrapped = mapped(error, "publishing", self._feed.topic)
            self._shrink_after(wrapped)
            raise wrapped from error
        finally:
            self._observer.transaction(result, asyncio.get_running_loop().time() - begun)
        return offsets

    async def discard(self) -> None:
        """Throw the producer away; see parts.Publisher.discard."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

    def _fenced(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise SessionLost("not_fenced", f"{self._feed.transactional_id} holds no producer")
        return self._producer

    async def _transaction(
        self, producer: AIOKafkaProducer, records: Sequence[Record]
    ) -> dict[tuple[str, int], tuple[int, int]]:
        await producer.begin_transaction()
        self._reached(Point.BEFORE_PRODUCE)
        sent: list[_Sent] = []
        for partition, batch in self._batches(producer, records):
            if sent:
                self._reached(Point.BETWEEN_BATCHES)
            size = batch.size()
            future = await producer.send_batch(batch, self._feed.topic, partition=partition)
            future.add_done_callback(_retrieve)
            sent.append(_Sent(partition, batch.record_count(), size, future))
        offsets = await self._acked(sent)
        self._reached(Point.BEFORE_COMMIT)
        await self._commit(producer)
        self._reached(Point.AFTER_COMMIT)
        return offsets

    def _batches(self, producer: AIOKafkaProducer, records: Sequence[Record]) -> Iterable[tuple[int, BatchBuilder]]:
        """The records as closed batches, in order within each partition (Invariant 3)."""
        at = self._now()
        timestamp = round(at * 1000)
        self._headers.begin_slice(at)
        headers = self._headers.headers
        partitions = self._partitions
        open_batches: dict[int, BatchBuilder] = {}
        for record in records:
            key = b"%d" % record.sync_id
            partition = partition_of(record.business_key, partitions)
            batch = open_batches.get(partition)
            if batch is None:
                batch = open_batches[partition] = producer.create_batch()
            fields = {"timestamp": timestamp, "key": key, "value": record.value, "headers": headers(record, key)}
            if batch.append(**fields) is None:
                yield partition, batch
                batch = open_batches[partition] = producer.create_batch()
                batch.append(**fields)
        for partition, batch in open_batches.items():
            batch.close()
            yield partition, batch

    async def _acked(self, sent: Sequence[_Sent]) -> dict[tuple[str, int], tuple[int, int]]:
        """Await the future of every batch: a commit succeeds without the records of a failed one (Invariant 1)."""
        await asyncio.wait([batch.future for batch in sent])
        offsets: dict[tuple[str, int], tuple[int, int]] = {}
        for batch in sent:
            if (error := batch.future.exception()) is not None:
                self._refused = batch
                raise error
            place = (self._feed.topic, batch.partition)
            first: int = getattr(batch.future.result(), "offset")  # noqa: B009  aiokafka's type is not declared
            known = offsets.get(place, (first, 0))
            offsets[place] = (min(first, known[0]), known[1] + batch.records)
        return offsets

    async def _commit(self, producer: AIOKafkaProducer) -> None:
        committing = asyncio.ensure_future(producer.commit_transaction())
        try:
            await asyncio.sleep(0)  # lets the request start, so that the point below lies inside the commit
            self._reached(Point.DURING_COMMIT)
            await committing
        finally:
            committing.cancel()  # of no effect when done; else nothing here waits on a commit nobody awaits

    def _shrink_after(self, error: ConnectorError) -> None:
        """Kafka took less than it said: make batches smaller, or the same slice fails in every session to come."""
        refused, self._refused = self._refused, None
        if error.reason != "record_too_large" or refused is None:
            return
        if refused.records > 1:
            self._batch_bytes = max(1, refused.size // 2)
        else:
            # Which makes that record a bad one, so that its feed says so.
            self._message_bytes = min(self._message_bytes, refused.size) - 1


def _retrieve(future: Future) -> None:
    """Look at a batch's failure even when its slice was given up before: a discarded producer fails what it holds."""
    if not future.cancelled():
        future.exception()
