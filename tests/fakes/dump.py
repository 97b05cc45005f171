"""Everything that is in a topic, as a careful consumer sees it."""

from __future__ import annotations

import asyncio
from typing import Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

Isolation = Literal["read_committed", "read_uncommitted"]


async def dump(
    bootstrap_servers: str,
    topic: str,
    isolation: Isolation = "read_committed",
    *,
    embedded: bool = False,
    deadline_seconds: float = 30.0,
) -> list[ConsumerRecord[bytes, bytes]]:
    """All records from the beginning to the end that `isolation` sees now, by partition and offset.

    A commit that was acknowledged a moment ago may not show yet (reference: a commit is durable before it is visible),
    so a test that looks after its own commit waits with `dump_until`.

    Raises:
        TimeoutError: the end is not reached in time; an open transaction does not cause that.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="none",
        check_crcs=not embedded,
    )
    async with asyncio.timeout(deadline_seconds):
        try:
            await consumer.start()
            return await _read_to_end(consumer, topic)
        finally:
            await consumer.stop()


async def dump_until(
    bootstrap_servers: str, topic: str, count: int, *, embedded: bool = False, deadline_seconds: float = 30.0
) -> list[ConsumerRecord[bytes, bytes]]:
    """What `dump` shows once it shows at least `count` records.

    Raises:
        TimeoutError: it never does; the message tells how many there are.
    """
    records: list[ConsumerRecord[bytes, bytes]] = []
    try:
        async with asyncio.timeout(deadline_seconds):
            while len(records) < count:
                records = await dump(bootstrap_servers, topic, embedded=embedded, deadline_seconds=deadline_seconds)
    except TimeoutError as error:
        message = f"{topic} shows {len(records)} of {count} records after {deadline_seconds} s"
        raise TimeoutError(message) from error
    return records


async def _read_to_end(consumer: AIOKafkaConsumer, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    # assign() alone does not make the client know a topic; asking for its partitions does.
    await consumer._client._wait_on_metadata(topic)
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
    consumer.assign(partitions)
    beginnings = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    for partition, offset in beginnings.items():
        consumer.seek(partition, offset)
    records: list[ConsumerRecord[bytes, bytes]] = []
    # The position, not the last record: control markers and aborted records take offsets and are never shown.
    while [partition for partition in partitions if await consumer.position(partition) < ends[partition]]:
        for batch in (await consumer.getmany(timeout_ms=100)).values():
            records += [record for record in batch if record.offset < ends[TopicPartition(topic, record.partition)]]
    return sorted(records, key=lambda record: (record.partition, record.offset))
