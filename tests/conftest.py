"""What every test may ask for: a Kafka, a real Kafka, three brokers to kill, and names and topics of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NoReturn

import pytest

from connector.model import Feed
from connector.sandbox.apache import ApacheKafka, KafkaUnavailable
from tests.brokers import Broker, chosen, given_problem
from tests.fakes.topics import create_topics, delete_topics

MakeFeed = Callable[..., Awaitable[Feed]]

_PARTITIONS = 4
_engine = pytest.StashKey[str]()
_declined = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_declined] = {}
    if problem := given_problem():
        raise pytest.UsageError(problem)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if engine := config.stash.get(_engine, None):
        terminalreporter.write_line(f"Kafka: {engine}")
    if declined := config.stash[_declined]:
        reasons = "; ".join(sorted(set(declined.values())))
        line = f"{len(declined)} TESTS DID NOT RUN: they need a real Kafka and none can be had ({reasons})"
        terminalreporter.write_line(line, red=True, bold=True)


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says a line to the person in front of the terminal, at once and past pytest's capturing."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def say(line: str) -> None:
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)

    return say


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tell: Callable[[str], None]) -> Iterator[Broker]:
    """A running Kafka, the most real that can be had here."""
    with chosen(tell) as broker:
        request.config.stash[_engine] = f"{broker.engine} at {broker.bootstrap_servers}"
        yield broker


@pytest.fixture
def real_kafka(request: pytest.FixtureRequest, kafka: Broker) -> Broker:
    """A real Kafka; without one the test is skipped, loudly, and fails where CI is true."""
    if not kafka.real:
        _do_without(request, "; ".join(kafka.declined))
    return kafka


@pytest.fixture(autouse=True)
def _real_kafka_where_marked(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("real_kafka"):
        request.getfixturevalue("real_kafka")


@pytest.fixture(scope="module")
def _three_brokers_or_reason(tell: Callable[[str], None]) -> Iterator[ApacheKafka | str]:
    cluster = ApacheKafka(3, tell=tell)
    try:
        cluster.start()
    except KafkaUnavailable as error:
        yield error.message.splitlines()[0]
        return
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def three_brokers(request: pytest.FixtureRequest, _three_brokers_or_reason: ApacheKafka | str) -> Iterator[ApacheKafka]:
    """A cluster of the module's own whose nodes may be killed and frozen; whole again after each test."""
    if isinstance(_three_brokers_or_reason, str):
        _do_without(request, _three_brokers_or_reason)
    cluster = _three_brokers_or_reason
    yield cluster
    cluster.mend()


@pytest.fixture
def app_name() -> str:
    """An `app` of the test's own: it names transactional ids and groups."""
    return f"test-{secrets.token_hex(4)}"


@pytest.fixture
async def topics(kafka: Broker, app_name: str) -> AsyncIterator[MakeFeed]:
    """How a test gets a feed whose two topics exist, by name and optionally partitions and max_message_bytes.

    On the embedded broker every topic has four partitions and takes what it takes.
    """
    site = f"s{secrets.token_hex(4)}"
    made: list[Feed] = []

    async def make(name: str = "order", *, partitions: int = _PARTITIONS, max_message_bytes: int | None = None) -> Feed:
        topic = f"{site}.{name}"
        feed = Feed(app_name, site, name, "cienapps", topic, f"{topic}.dead-letter")
        names = [feed.topic, feed.dead_letter_topic]
        if kafka.embedded is not None:
            kafka.embedded.create_topics(names)
        else:
            servers = kafka.bootstrap_servers
            await create_topics(servers, names, partitions=partitions, max_message_bytes=max_message_bytes)
        made.append(feed)
        return feed

    yield make
    # The other engines are thrown away as a whole.
    if kafka.engine == "given" and made:
        names = [topic for feed in made for topic in (feed.topic, feed.dead_letter_topic)]
        await delete_topics(kafka.bootstrap_servers, names)


def _do_without(request: pytest.FixtureRequest, reason: str) -> NoReturn:
    """Skip the test and have the summary say so; where CI is true it fails instead."""
    request.config.stash[_declined][request.node.nodeid] = reason
    line = f"needs a real Kafka, and none can be had here: {reason}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI is true and this test {line}", pytrace=False)
    pytest.skip(line)
