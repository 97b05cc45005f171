"""Kafka's errors become ours in one place, by what the loop does next."""

from __future__ import annotations

import inspect

import pytest
from aiokafka import errors as kafka

from connector.errors import Blocked, ConnectorError, Fenced, SessionLost
from connector.kafka.mapping import FOREIGN, mapped

EVERY = [
    kind
    for _, kind in inspect.getmembers(kafka, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == "aiokafka.errors"
]
PERMISSIONS = {
    kafka.TransactionalIdAuthorizationFailed,
    kafka.TopicAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
}


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_of_aiokafka_is_mapped(kind: type[Exception]) -> None:
    """Permissions block, fencing is Fenced, anything else loses the session; none escapes the boundary."""
    assert issubclass(kind, FOREIGN)
    ours = mapped(kind.__new__(kind), "publishing", "montreal.order")
    assert isinstance(ours, Blocked) == (kind in PERMISSIONS)
    assert isinstance(ours, Fenced) == (kind in {kafka.ProducerFenced, kafka.InvalidProducerEpoch})
    assert isinstance(ours, Blocked | SessionLost)
    assert "montreal.order" in ours.message or "Cluster" in ours.message


@pytest.mark.parametrize("error", [AssertionError(), TimeoutError(), ConnectionResetError()])
def test_what_else_it_raises_loses_the_session(error: Exception) -> None:
    """Assertions from states it did not foresee, deadlines, sockets: the session is over."""
    assert isinstance(error, FOREIGN)
    assert isinstance(mapped(error, "publishing", "x"), SessionLost)


def test_the_cause_counts() -> None:
    """The sender wraps what ended it."""

    def wrapped() -> ConnectorError:
        try:
            try:
                raise kafka.TopicAuthorizationFailedError
            except kafka.KafkaError as cause:
                message = "Unexpected error during batch delivery"
                raise kafka.KafkaError(message) from cause
        except kafka.KafkaError as error:
            return mapped(error, "publishing", "montreal.order")

    assert isinstance(wrapped(), Blocked)
    assert "Write on Topic montreal.order" in wrapped().message
