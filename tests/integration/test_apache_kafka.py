"""The real Kafka that the other tests stand on keeps what was acked, over kills and with a node down."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError

from connector.sandbox.apache import ApacheKafka
from tests.brokers import Broker
from tests.conftest import MakeFeed
from tests.fakes.dump import dump, dump_until
from tests.fakes.topics import create_topics

pytestmark = pytest.mark.real_kafka


@pytest.fixture(scope="module")
def one_node(tell: Callable[[str], None]) -> Iterator[ApacheKafka]:
    """A node of the module's own, to kill."""
    with ApacheKafka(extra_properties={"message.max.bytes": "200000"}, tell=tell) as cluster:
        yield cluster


@asynccontextmanager
async def transaction(bootstrap_servers: str, topic: str, count: int) -> AsyncIterator[AIOKafkaProducer]:
    """An open transaction with `count` acknowledged records in it; the block decides its fate."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        transactional_id=f"test-{secrets.token_hex(4)}",
        acks="all",
        # Short, so that a frozen node is given up soon.
        request_timeout_ms=5_000,
    )
    async with asyncio.timeout(60):
        await producer.start()
        try:
            await producer.begin_transaction()
            for number in range(count):
                await producer.send_and_wait(topic, str(number).encode(), partition=0)
            yield producer
        finally:
            await producer.stop()


async def test_node_killed_and_restarted(one_node: ApacheKafka) -> None:
    """What was committed before kill -9 is there after the restart, at the same address."""
    topic = f"kept-{secrets.token_hex(4)}"
    before = one_node.bootstrap_servers
    await create_topics(before, [topic])
    async with transaction(before, topic, 100) as producer:
        await producer.commit_transaction()
    # Seen, and so marked: a broker alone that dies between a commit and its markers may forget to write them.
    await dump_until(before, topic, 100)
    one_node.kill(1)
    one_node.restart(1)
    assert one_node.bootstrap_servers == before
    records = await dump_until(before, topic, 100)
    assert [record.value for record in records] == [str(number).encode() for number in range(100)]


async def test_open_transaction_is_not_shown(kafka: Broker, topics: MakeFeed) -> None:
    """A read_committed dump ends before an open transaction, a read_uncommitted one shows it."""
    feed = await topics()
    async with transaction(kafka.bootstrap_servers, feed.topic, 5) as producer:
        assert await dump(kafka.bootstrap_servers, feed.topic) == []
        assert len(await dump(kafka.bootstrap_servers, feed.topic, "read_uncommitted")) == 5
        await producer.abort_transaction()
    assert await dump(kafka.bootstrap_servers, feed.topic) == []


async def test_topics_made_as_asked(kafka: Broker, topics: MakeFeed) -> None:
    """The factory makes both topics of a feed with the stated partitions and sizes."""
    feed = await topics("quotation", partitions=3, max_message_bytes=123_456)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        described = await admin.describe_topics([feed.topic, feed.dead_letter_topic])
        settings = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, feed.topic)])
    finally:
        await admin.close()
    assert [len(topic["partitions"]) for topic in described] == [3, 3]
    entries = {entry[0]: entry[1] for entry in settings[0].resources[0][4]}
    assert entries["max.message.bytes"] == "123456"


async def test_extra_properties(one_node: ApacheKafka) -> None:
    """A property given from outside reaches the broker: here, what the largest batch is."""
    topic = f"small-{secrets.token_hex(4)}"
    await create_topics(one_node.bootstrap_servers, [topic])
    producer = AIOKafkaProducer(bootstrap_servers=one_node.bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"x" * 190_000)
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, b"x" * 210_000)
    finally:
        await producer.stop()


async def test_one_of_three_nodes_killed(three_brokers: ApacheKafka) -> None:
    """With min.insync.replicas 2 of 3 a cluster goes on while a node is down, and keeps what it acked."""
    topic = f"replicated-{secrets.token_hex(4)}"
    servers = three_brokers.bootstrap_servers
    await create_topics(servers, [topic], partitions=3, replication_factor=3, min_insync_replicas=2)
    async with transaction(servers, topic, 20) as producer:
        three_brokers.kill(2)
        await producer.commit_transaction()
    async with transaction(servers, topic, 20) as producer:
        await producer.commit_transaction()
    assert len(await dump_until(servers, topic, 40)) == 40
    three_brokers.restart(2)
    assert sorted(three_brokers.pids) == [1, 2, 3]
    assert len(await dump_until(servers, topic, 40)) == 40


async def test_frozen_node(three_brokers: ApacheKafka) -> None:
    """A frozen node costs a fail-over, not the cluster; thawed, it is one of them again."""
    topic = f"thawed-{secrets.token_hex(4)}"
    servers = three_brokers.bootstrap_servers
    await create_topics(servers, [topic], partitions=3, replication_factor=3, min_insync_replicas=2)
    three_brokers.freeze(3)
    async with transaction(servers, topic, 5) as producer:
        await producer.commit_transaction()
    three_brokers.mend()
    assert len(await dump_until(servers, topic, 5)) == 5
