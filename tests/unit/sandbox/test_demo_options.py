"""The demo refuses what it cannot do before it starts anything."""

from __future__ import annotations

import pytest

from connector.errors import ConfigurationWrong
from connector.sandbox.demo_options import DemoOptions


@pytest.mark.parametrize("kafka", ["embedded", "apache", "127.0.0.1:9092", "localhost:9092,[::1]:9093"])
def test_kafka_on_this_machine(kafka: str) -> None:
    """Every kind of Kafka, and given brokers on loopback."""
    DemoOptions(kafka=kafka).check()


@pytest.mark.parametrize("kafka", ["kafka.example:9092", "127.0.0.1:9092,192.0.2.1:9092"])
def test_kafka_elsewhere(kafka: str) -> None:
    """The demo makes topics, so a broker elsewhere has to be meant."""
    with pytest.raises(ConfigurationWrong, match="--allow-remote"):
        DemoOptions(kafka=kafka).check()
    DemoOptions(kafka=kafka, allow_remote=True).check()


@pytest.mark.parametrize("kafka", ["nonsense", "localhost", "localhost:", "localhost:70000", ":9092", ""])
def test_no_address(kafka: str) -> None:
    """What is no HOST:PORT is refused with the three spellings."""
    with pytest.raises(ConfigurationWrong, match="embedded, apache, or HOST:PORT"):
        DemoOptions(kafka=kafka).check()


def test_all_problems_at_once() -> None:
    """Every wrong option is told in one go."""
    with pytest.raises(ConfigurationWrong) as refused:
        DemoOptions(seconds=0, rate=-1, backlog=-1, kafka="nonsense").check()
    assert [problem.split()[0] for problem in refused.value.problems] == ["--kafka", "--for", "--rate", "--backlog"]


def test_more_than_the_embedded_broker_keeps() -> None:
    """A backlog that a simulated broker would drop, and so seem to lose, asks for a real one."""
    with pytest.raises(ConfigurationWrong, match="--kafka apache"):
        DemoOptions(backlog=1_000_000).check()
    DemoOptions(backlog=1_000_000, kafka="apache").check()
