"""The one boundary where Kafka's errors become ours.

Must not know what was being done; the caller says it in words.
"""

from __future__ import annotations

from aiokafka import errors as kafka

from connector.errors import Blocked, ConnectorError, Fenced, SessionLost

FOREIGN = (kafka.KafkaError, kafka.IllegalOperation, kafka.ConsumerStoppedError, TimeoutError, AssertionError, OSError)
"""What aiokafka raises: its own tree, and assertions from states it did not foresee."""

_PERMISSIONS: tuple[tuple[type[Exception], str], ...] = (
    (kafka.TransactionalIdAuthorizationFailed, "Describe and Write on TransactionalId {names}"),
    (kafka.TopicAuthorizationFailedError, "Describe, Read and Write on Topic {names}"),
    (kafka.GroupAuthorizationFailedError, "Describe and Read on Group {names}"),
    (kafka.ClusterAuthorizationFailedError, "IdempotentWrite on the Cluster"),
)
_REASONS: tuple[tuple[type[BaseException], str, str], ...] = (
    (kafka.MessageSizeTooLargeError, "record_too_large", "the topic takes less than it says"),
    (kafka.RecordListTooLargeError, "record_too_large", "the topic takes less than it says"),
    (kafka.InvalidTimestampError, "clock", "the topic refuses our time: check this machine's clock"),
    (kafka.UnknownTopicOrPartitionError, "topic_missing", "a topic is gone: `cien-connector topics` tells which"),
    (kafka.NotEnoughReplicasError, "not_enough_replicas", "too few brokers are in sync for min.insync.replicas"),
    (kafka.NotEnoughReplicasAfterAppendError, "not_enough_replicas", "too few brokers are in sync"),
    (kafka.AuthenticationFailedError, "authentication", "check kafka.sasl and kafka.security_protocol"),
    (kafka.SaslAuthenticationFailed, "authentication", "check kafka.sasl and kafka.security_protocol"),
    (kafka.KafkaConnectionError, "kafka_unreachable", "no broker answers: check kafka.bootstrap_servers"),
    (kafka.NoBrokersAvailable, "kafka_unreachable", "no broker answers: check kafka.bootstrap_servers"),
    (kafka.KafkaTimeoutError, "kafka_timeout", "a broker is too slow or frozen"),
    (kafka.RequestTimedOutError, "kafka_timeout", "a broker is too slow or frozen"),
    (TimeoutError, "kafka_timeout", "a broker is too slow or frozen"),
    (OSError, "kafka_unreachable", "no broker answers: check kafka.bootstrap_servers"),
)


def mapped(error: BaseException, doing: str, names: str) -> ConnectorError:
    """Our error for one of Kafka's.

    Args:
        error: what aiokafka raised; its cause is looked at too, since the sender wraps what ended it.
        doing: what was being done, in words.
        names: the topics, group or transactional id concerned.
    """
    chain = _chain(error)
    for kind, permission in _PERMISSIONS:
        if any(isinstance(link, kind) for link in chain):
            needed = permission.format(names=names)
            return Blocked("kafka_permission", f"{doing}: Kafka refuses it; grant {needed}")
    if any(isinstance(link, (kafka.ProducerFenced, kafka.InvalidProducerEpoch)) for link in chain):
        return Fenced(
            "fenced",
            f"{doing}: another instance took over {names} (or its transaction timed out);"
            " two deployments on one cluster must differ in `app`",
        )
    for foreign, reason, meaning in _REASONS:
        if any(isinstance(link, foreign) for link in chain):
            return SessionLost(reason, f"{doing} ({names}): {meaning} ({type(error).__name__})")
    return SessionLost("kafka_error", f"{doing} ({names}): {type(error).__name__}")


def _chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__
    return links
