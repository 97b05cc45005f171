"""The embedded broker carries the program's own protocol: enough for the demo, and no proof."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer

from connector.errors import EnvironmentUnusable
from connector.sandbox.embedded import PARTITIONS, EmbeddedBroker
from tests.fakes.dump import dump, dump_until

TOPIC = "montreal.order"
HEADERS = [("content-hash", b"\x01\x00\xff"), ("ce_id", b"4711")]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker([TOPIC]) as running:
        yield running


async def publish(broker: EmbeddedBroker, count: int) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, transactional_id=f"test-{secrets.token_hex(4)}", acks="all"
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for number in range(count):
            sent = await producer.send(TOPIC, str(number).encode(), str(number).encode(), headers=HEADERS, partition=1)
            await sent
        await producer.commit_transaction()
    finally:
        await producer.stop()


async def test_transaction_published_and_read_back(broker: EmbeddedBroker) -> None:
    """The transactional producer of aiokafka works on it, and keys, values and headers come back as they went."""
    await publish(broker, 3)
    records = await dump_until(broker.bootstrap_servers, TOPIC, 3, embedded=True)
    assert [(record.partition, record.key, record.value) for record in records] == [
        (1, b"0", b"0"),
        (1, b"1", b"1"),
        (1, b"2", b"2"),
    ]
    assert [tuple(record.headers) for record in records] == [tuple(HEADERS)] * 3


async def test_topic_made_beforehand_is_empty(broker: EmbeddedBroker) -> None:
    """A topic named at the start exists without a record in it."""
    assert await dump(broker.bootstrap_servers, TOPIC, embedded=True) == []


async def test_topics_have_the_stated_partitions(broker: EmbeddedBroker) -> None:
    """PARTITIONS tells the truth: the program's partition rule depends on it."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    await producer.start()
    try:
        assert len(await producer.partitions_for(TOPIC)) == PARTITIONS
    finally:
        await producer.stop()


@pytest.mark.parametrize("name", ["", "no spaces allowed", "a" * 250])
def test_topic_name_that_kafka_refuses(name: str) -> None:
    """A name that a real Kafka refuses is refused here too, and nothing is left running."""
    refused = EmbeddedBroker([TOPIC, name])
    with pytest.raises(EnvironmentUnusable, match="no topic name"):
        refused.start()
    assert refused.bootstrap_servers == ""


@pytest.mark.parametrize("brokers", [1, 3])
def test_brokers_imitated(brokers: int) -> None:
    """It imitates as many brokers as asked, all on loopback, and is there in under a second."""
    began = time.monotonic()
    with EmbeddedBroker([TOPIC], brokers=brokers) as broker:
        assert time.monotonic() - began < 1.0
        servers = broker.bootstrap_servers.split(",")
    assert len(servers) == brokers
    assert all(server.startswith("127.0.0.1:") for server in servers)


@pytest.mark.parametrize("brokers", [0, 4])
def test_impossible_number_of_brokers(brokers: int) -> None:
    """What cannot be imitated is refused at once."""
    with pytest.raises(ValueError, match="1 to 3"):
        EmbeddedBroker(brokers=brokers)


def test_stopped_broker_is_gone() -> None:
    """Its port is closed when it has stopped, and stopping again is harmless."""
    broker = EmbeddedBroker()
    broker.start()
    host, port = broker.bootstrap_servers.split(":")
    broker.stop()
    broker.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 1)


def test_topics_before_the_start() -> None:
    """Topics cannot be made on a broker that does not run; the error says so."""
    with pytest.raises(EnvironmentUnusable, match="not started"):
        EmbeddedBroker().create_topics([TOPIC])
