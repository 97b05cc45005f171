"""The Kafka that the demo runs on, with the demo's topics in it: simulated, a real one of its own, or a given one.

Must not know what is published. On a given Kafka it deletes what it made, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from connector.errors import EnvironmentUnusable, SessionLost
from connector.model import Feed
from connector.sandbox.demo_options import DemoOptions

_PARTITIONS = 4
_DELETE_SECONDS = 15.0


@contextmanager
def opened(options: DemoOptions, feeds: Sequence[Feed], tell: Callable[[str], None]) -> Iterator[str]:
    """The bootstrap servers of a Kafka that has these feeds' topics.

    Args:
        options: which Kafka.
        feeds: whose topics.
        tell: gets a line when something has to be fetched, and when topics could not be deleted.

    Raises:
        EnvironmentUnusable: there is none, or it takes no topics.
    """
    kinds = {"embedded": _embedded, "apache": _apache, "given": _given}
    with kinds[options.engine](options.kafka, feeds, tell) as bootstrap_servers:
        yield bootstrap_servers


@contextmanager
def _embedded(_kafka: str, feeds: Sequence[Feed], _tell: Callable[[str], None]) -> Iterator[str]:
    from connector.sandbox.embedded import EmbeddedBroker  # noqa: PLC0415  librdkafka, for this kind only

    with EmbeddedBroker(_topics(feeds)) as broker:
        yield broker.bootstrap_servers


@contextmanager
def _apache(_kafka: str, feeds: Sequence[Feed], tell: Callable[[str], None]) -> Iterator[str]:
    from connector.sandbox.apache import ApacheKafka  # noqa: PLC0415  aiokafka, not needed for the embedded kind

    with ApacheKafka(tell=tell) as broker:
        asyncio.run(_make_topics(broker.bootstrap_servers, feeds))
        yield broker.bootstrap_servers


@contextmanager
def _given(kafka: str, feeds: Sequence[Feed], tell: Callable[[str], None]) -> Iterator[str]:
    # Who does not answer is told once, in our own words.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    asyncio.run(_make_topics(kafka, feeds))
    try:
        yield kafka
    finally:
        asyncio.run(_delete_topics(kafka, feeds, tell))


def _topics(feeds: Sequence[Feed]) -> list[str]:
    return [topic for feed in feeds for topic in (feed.topic, feed.dead_letter_topic)]


async def _make_topics(bootstrap_servers: str, feeds: Sequence[Feed]) -> None:
    from connector.kafka.connection import KafkaConnection  # noqa: PLC0415  as above
    from connector.kafka.topics import TopicPlan, check_topics  # noqa: PLC0415  as above

    try:
        await check_topics(KafkaConnection(bootstrap_servers), feeds, TopicPlan(_PARTITIONS, 1, 1))
    except SessionLost as error:
        message = f"no Kafka answers at {bootstrap_servers} ({error.reason}): start it, or leave --kafka out"
        raise EnvironmentUnusable("kafka_unavailable", message) from error


async def _delete_topics(bootstrap_servers: str, feeds: Sequence[Feed], tell: Callable[[str], None]) -> None:
    """Delete the demo's topics, or tell which are left; a demo that is over does not fail for it."""
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415  as above
    from aiokafka.errors import KafkaError, for_code  # noqa: PLC0415  as above

    left, why = _topics(feeds), ""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        async with asyncio.timeout(_DELETE_SECONDS):
            await admin.start()
            answer = await admin.delete_topics(left)
        codes = dict(answer.topic_error_codes)
        left = [topic for topic in left if codes.get(topic, 0)]
        why = ", ".join(sorted({for_code(codes[topic]).__name__ for topic in left}))
    except (KafkaError, OSError, TimeoutError) as error:
        why = type(error).__name__
    finally:
        await admin.close()
    if left:
        tell(f"topics left on {bootstrap_servers} ({why}): {', '.join(left)}")
