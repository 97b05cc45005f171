"""Fixtures of the tests on a real Kafka: feeds with topics of their own, and what a committed reader sees of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiokafka import ConsumerRecord

from connector.kafka.connection import KafkaConnection
from connector.model import Feed
from connector.sandbox.apache import ApacheKafka
from tests.brokers import Broker
from tests.conftest import MakeFeed
from tests.fakes.dump import dump, dump_until

Committed = Callable[..., Awaitable[list[ConsumerRecord[bytes, bytes]]]]


@pytest.fixture
def connection(kafka: Broker) -> KafkaConnection:
    """How to reach the Kafka of this run."""
    return KafkaConnection(kafka.bootstrap_servers, check_crcs=kafka.check_crcs)


@pytest.fixture
async def feed(topics: MakeFeed) -> Feed:
    """A feed whose topics exist."""
    return await topics()


@pytest.fixture
def committed(kafka: Broker) -> Committed:
    """What a read_committed consumer sees of a topic, once it sees so many records."""

    async def see(topic: str, at_least: int = 0) -> list[ConsumerRecord[bytes, bytes]]:
        if at_least:
            return await dump_until(kafka.bootstrap_servers, topic, at_least, embedded=not kafka.real)
        return await dump(kafka.bootstrap_servers, topic, embedded=not kafka.real)

    return see


@pytest.fixture
def broker_to_freeze() -> Iterator[ApacheKafka]:
    """A broker of the test's own, to be frozen without hurting the others'."""
    with ApacheKafka(1) as broker:
        yield broker
