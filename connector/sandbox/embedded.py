"""A simulated Kafka inside this process: librdkafka's mock cluster, for the demo and for quick tests.

Must not know what is published on it, nor be taken for proof: it has no fencing, no control markers, no last stable
offset, and its batches carry wrong checksums when read back, so consumers on it need `check_crcs=False`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException, Producer

from connector.errors import EnvironmentUnusable

PARTITIONS = 4
"""What every topic on it has: librdkafka's mock cluster takes no other number through its settings."""

_ANSWER_TIMEOUT_SECONDS = 5.0
_BROKERS_MAXIMUM = 3
_TOPIC_NAME = re.compile("[a-zA-Z0-9._-]{1,249}")


class EmbeddedBroker:
    """A running mock cluster; use it as a context manager, or `start` and `stop`. Starts in well under a second.

    It cannot create topics through Kafka's admin protocol (aiokafka's admin calls fail on it), so it makes those named
    here beforehand, and any other as soon as a client asks for its metadata.

    Args:
        topics: the topics to make, PARTITIONS partitions each.
        brokers: how many brokers to imitate, 1 to 3.
    """

    def __init__(self, topics: Iterable[str] = (), *, brokers: int = 1) -> None:
        if not 1 <= brokers <= _BROKERS_MAXIMUM:
            message = f"brokers is {brokers}: an embedded cluster has 1 to {_BROKERS_MAXIMUM}"
            raise ValueError(message)
        self._topics = tuple(topics)
        self._brokers = brokers
        # The cluster lives in this client's background thread and ends with its last reference.
        self._client: Any = None
        self._bootstrap_servers = ""

    @property
    def bootstrap_servers(self) -> str:
        """Every broker, as clients write them; empty before `start`."""
        return self._bootstrap_servers

    def start(self) -> None:
        """Start the cluster and make its topics.

        Raises:
            EnvironmentUnusable: it does not answer.
        """
        # The address is never looked up: the setting below replaces it. log_level 0 keeps librdkafka off stderr.
        self._client = Producer(
            {"bootstrap.servers": "embedded", "test.mock.num.brokers": self._brokers, "log_level": 0}
        )
        try:
            brokers = self._client.list_topics(timeout=_ANSWER_TIMEOUT_SECONDS).brokers.values()
            self._bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
            self.create_topics(self._topics)
        except EnvironmentUnusable:
            self.stop()
            raise
        except KafkaException as error:
            self.stop()
            message = f"the embedded broker does not answer within {_ANSWER_TIMEOUT_SECONDS:.0f} s: start it again"
            raise EnvironmentUnusable("kafka_unavailable", message) from error

    def create_topics(self, topics: Iterable[str]) -> None:
        """Make topics of PARTITIONS partitions; those that exist stay as they are.

        Raises:
            EnvironmentUnusable: the broker is not started, or refuses a name.
        """
        if self._client is None:
            message = "the embedded broker is not started"
            raise EnvironmentUnusable("kafka_unavailable", message)
        for topic in topics:
            # The mock cluster takes any name; what a real Kafka refuses is not to work here.
            if not _TOPIC_NAME.fullmatch(topic):
                message = f"{topic!r} is no topic name: 1 to 249 of the letters, digits and ._-"
                raise EnvironmentUnusable("topic_refused", message)
            try:
                self._client.list_topics(topic, timeout=_ANSWER_TIMEOUT_SECONDS)
            except KafkaException as error:
                message = f"the embedded broker does not make topic {topic}: start it again"
                raise EnvironmentUnusable("kafka_unavailable", message) from error

    def stop(self) -> None:
        """End the cluster; what was published on it is gone. Nothing when it is stopped already."""
        self._client = None
        self._bootstrap_servers = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
