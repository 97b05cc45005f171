"""Topics for tests on a real Kafka, made through its own admin protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import for_code

_DEADLINE_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.02


async def create_topics(
    bootstrap_servers: str,
    names: Sequence[str],
    *,
    partitions: int = 4,
    replication_factor: int = 1,
    min_insync_replicas: int = 1,
    max_message_bytes: int | None = None,
) -> None:
    """Make topics and return once every partition has a leader.

    Raises:
        RuntimeError: Kafka refuses one.
        TimeoutError: they are not there in time.
    """
    settings = {"min.insync.replicas": str(min_insync_replicas)}
    if max_message_bytes is not None:
        settings["max.message.bytes"] = str(max_message_bytes)
    wanted = [NewTopic(name, partitions, replication_factor, topic_configs=settings) for name in names]
    async with asyncio.timeout(_DEADLINE_SECONDS), _admin(bootstrap_servers) as admin:
        for topic, code, *_ in (await admin.create_topics(wanted)).topic_errors:
            if code:
                message = f"Kafka does not make topic {topic}: {for_code(code).__name__}"
                raise RuntimeError(message)
        # A topic that was made a moment ago may still be unknown or without leaders on the node that is asked.
        while not all(_is_led(topic) for topic in await admin.describe_topics(list(names))):  # noqa: ASYNC110 -- Kafka tells nobody when they are there: it has to be asked
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def delete_topics(bootstrap_servers: str, names: Sequence[str]) -> None:
    """Delete topics."""
    async with asyncio.timeout(_DEADLINE_SECONDS), _admin(bootstrap_servers) as admin:
        await admin.delete_topics(list(names))


async def add_partitions(bootstrap_servers: str, name: str, partitions: int) -> None:
    """Let a topic have so many partitions, each with a leader."""
    async with asyncio.timeout(_DEADLINE_SECONDS), _admin(bootstrap_servers) as admin:
        await admin.create_partitions({name: NewPartitions(total_count=partitions)})
        topic: dict[str, object] = {"partitions": [], "error_code": 0}
        while len(topic["partitions"]) < partitions or not _is_led(topic):  # type: ignore[arg-type]
            (topic,) = await admin.describe_topics([name])
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _is_led(topic: dict[str, object]) -> bool:
    partitions = topic["partitions"]
    assert isinstance(partitions, list)
    return (
        topic["error_code"] == 0
        and bool(partitions)
        and all(partition["error_code"] == 0 and partition["leader"] >= 0 for partition in partitions)
    )


@asynccontextmanager
async def _admin(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
