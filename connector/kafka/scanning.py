"""Reads what a feed's topics hold above the watermark, up to the end as it was after the fence.

Must not know what is done with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from connector.errors import SessionLost
from connector.kafka.connection import KafkaConnection
from connector.kafka.discarding import stop_consumer
from connector.kafka.headers import read_content_hash
from connector.kafka.published_slice import Place, short_hash

_PORTION = 5000
_STOP_SECONDS = 3.0
_LARGEST_SYNC_ID = 2**63 - 1
_SOON_MS = 20  # a new client asks twice: the first time it does not know the leaders yet
_READ_SECONDS = 0.05  # getmany() does not return for a marker alone, so the positions are looked at this often


@dataclass(frozen=True, slots=True)
class Span:
    """One partition, from the watermark to the end."""

    lowest: int
    end: int


@dataclass(slots=True)
class Portion:
    """Some records as the scan found them."""

    pairs: list[tuple[int, int]]
    first_offsets: dict[Place, int]
    oldest_seconds: float
    records: int


async def spans(
    connection: KafkaConnection, places: Sequence[Place], watermark: Mapping[Place, int]
) -> dict[Place, Span]:
    """Where to read from and to, asked now: call it after the fence.

    The end is the high watermark, hence a reader of uncommitted records: the last stable offset may be held back by
    somebody else's open transaction on the same partition.
    """
    consumer = AIOKafkaConsumer(
        **connection.client_options(),
        group_id=None,
        isolation_level="read_uncommitted",
        enable_auto_commit=False,
        retry_backoff_ms=_SOON_MS,
    )
    asked = [TopicPartition(*place) for place in places]
    try:
        await consumer.start()
        beginnings = await consumer.beginning_offsets(asked)
        ends = await consumer.end_offsets(asked)
    finally:
        await stop_consumer(consumer, _STOP_SECONDS)
    found: dict[Place, Span] = {}
    for partition in asked:
        place = (partition.topic, partition.partition)
        beginning, end = beginnings[partition], ends[partition]
        committed = watermark.get(place, beginning)
        found[place] = Span(committed if beginning <= committed <= end else beginning, end)
    return found


def assign(consumer: AIOKafkaConsumer, wanted: Mapping[Place, Span]) -> None:
    """Give the consumer every partition, once and for all: those to read at their beginning, the others at rest.

    Once, because aiokafka 0.14 ends its coordinator's task, and commits with it, when an assignment is replaced while
    the coordinator is being looked for. All, because it commits offsets of assigned partitions only.
    """
    consumer.assign([TopicPartition(*place) for place in wanted])
    for place, span in wanted.items():
        consumer.seek(TopicPartition(*place), span.lowest)
        if span.lowest == span.end:
            consumer.pause(TopicPartition(*place))


async def read(
    consumer: AIOKafkaConsumer, wanted: Mapping[Place, Span], stalled_seconds: float, clock: Callable[[], float]
) -> AsyncIterator[Portion]:
    """The committed records of the spans, partition by partition in offset order; each is at rest when it is read.

    A partition is done when the consumer's *position* has reached the end: markers and aborted records count.

    Raises:
        SessionLost: nothing moved for `stalled_seconds`.
        Blocked: a hash cannot be understood.
    """
    remaining = {TopicPartition(*place): span.end for place, span in wanted.items() if span.lowest < span.end}
    moved_at = clock()
    while remaining:
        fetched = await consumer.getmany(*remaining, timeout_ms=round(_READ_SECONDS * 1000), max_records=_PORTION)
        for partition, records in fetched.items():
            if records:
                yield _portion(records, (partition.topic, partition.partition))
        complete = [partition for partition, end in remaining.items() if await consumer.position(partition) >= end]
        for partition in complete:
            consumer.pause(partition)
            del remaining[partition]
        if fetched or complete:
            moved_at = clock()
        elif clock() - moved_at > stalled_seconds:
            names = ", ".join(f"{partition.topic}-{partition.partition}" for partition in remaining)
            message = (
                f"scanning: nothing could be read for {stalled_seconds:g} s on {names}: a partition has no leader, or a"
                " transaction hangs there (kafka-transactions.sh find-hanging)"
            )
            raise SessionLost("scan_stalled", message)
        await asyncio.sleep(0)


def _portion(records: Sequence[Any], place: Place) -> Portion:
    pairs: list[tuple[int, int]] = []
    for record in records:
        digest = read_content_hash(record.headers)
        # A record without our header or with another key was written by somebody else: it is nobody's notification.
        if digest is not None and _is_sync_id(record.key):
            pairs.append((int(record.key), short_hash(digest)))
    return Portion(pairs, {place: records[0].offset}, min(r.timestamp for r in records) / 1000, len(records))


def _is_sync_id(key: bytes | None) -> bool:
    return key is not None and key.isdigit() and len(key) <= len(str(_LARGEST_SYNC_ID)) and int(key) <= _LARGEST_SYNC_ID
