"""The topics: are they there, can they be made, what do they take.

Must not know what is written to them. A look-up may create a topic where the broker allows it, so existence is
checked by listing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connector.errors import Blocked, EnvironmentUnusable
from connector.kafka.connection import KafkaConnection
from connector.kafka.mapping import FOREIGN, mapped
from connector.model import Feed

DEAD_LETTER_MESSAGE_BYTES = 8 * 1024 * 1024
LARGEST_MESSAGE_BYTES = 900_000
_ASK_SECONDS = 30.0
_DAY_MS = 86_400_000
_LEAST_RETENTION_DAYS = 7


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How missing topics are made."""

    partitions: int
    replication_factor: int = 3
    min_insync_replicas: int = 2
    retention_days: float = 14.0


@dataclass(slots=True)
class TopicReport:
    """What was found and made."""

    created: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    max_message_bytes: dict[str, int] = field(default_factory=dict)

    def largest_message(self, feed: Feed) -> int:
        """The largest batch that the feed's entity topic takes, 900 kB at the most."""
        return min(LARGEST_MESSAGE_BYTES, self.max_message_bytes.get(feed.topic, LARGEST_MESSAGE_BYTES))


async def check_topics(connection: KafkaConnection, feeds: Sequence[Feed], plan: TopicPlan | None) -> TopicReport:
    """See which topics there are, make the missing ones where a plan says how, and read what they take.

    Raises:
        SessionLost: Kafka did not answer; ask again.
        EnvironmentUnusable: a permission is missing, or a topic could not be made.
    """
    admin = AIOKafkaAdminClient(**connection.client_options())
    names = ", ".join(topic for feed in feeds for topic in (feed.topic, feed.dead_letter_topic))
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            await admin.start()
            return await _check(admin, feeds, plan)
    except FOREIGN as error:
        ours = mapped(error, "checking topics", names)
        if isinstance(ours, Blocked):
            raise EnvironmentUnusable(ours.reason, ours.message) from error
        raise ours from error
    finally:
        await admin.close()


def missing_topics(missing: Sequence[str]) -> EnvironmentUnusable:
    """The error for topics that must exist and do not."""
    message = (
        f"missing topics: {', '.join(missing)}. Make them (retention.ms, min.insync.replicas and"
        f" max.message.bytes={DEAD_LETTER_MESSAGE_BYTES} for dead letters as docs/operations.md says), run"
        " `cien-connector topics --create --partitions N --config ...`, or set kafka.create_topics"
    )
    return EnvironmentUnusable("topic_missing", message)


async def _check(admin: AIOKafkaAdminClient, feeds: Sequence[Feed], plan: TopicPlan | None) -> TopicReport:
    report = TopicReport()
    present = set(await admin.list_topics())
    for feed in feeds:
        for topic in (feed.topic, feed.dead_letter_topic):
            (report.existing if topic in present else report.missing).append(topic)
    if report.missing and plan is not None:
        dead_letters = {feed.dead_letter_topic for feed in feeds}
        await _create(admin, [_new_topic(topic, plan, topic in dead_letters) for topic in report.missing])
        report.created, report.missing = report.missing, []
    brokers = len((await admin.describe_cluster())["brokers"])
    for topic, settings in (await _describe(admin, [*report.existing, *report.created])).items():
        if (size := settings.get("max.message.bytes")) is not None:
            report.max_message_bytes[topic] = int(size)
        report.warnings += _warnings(topic, settings, brokers)
    return report


def _new_topic(topic: str, plan: TopicPlan, is_dead_letter: bool) -> NewTopic:  # noqa: FBT001  one private caller
    settings = {
        "cleanup.policy": "delete",
        # The broker's clock decides how long records are kept, not ours, which may be wrong.
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(plan.min_insync_replicas),
        "retention.ms": str(round(plan.retention_days * _DAY_MS)),
        "unclean.leader.election.enable": "false",
    }
    if is_dead_letter:
        settings["max.message.bytes"] = str(DEAD_LETTER_MESSAGE_BYTES)
    return NewTopic(topic, plan.partitions, plan.replication_factor, topic_configs=settings)


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> None:
    response = await admin.create_topics(list(topics))
    refused: list[str] = []
    for topic, code, *reason in response.topic_errors:
        # Another replica may have been quicker, which is as good.
        if code not in {0, kafka.TopicAlreadyExistsError.errno}:
            why = reason[0] if reason and reason[0] else kafka.for_code(code).__name__
            refused.append(f"{topic}: {why}")
    if refused:
        message = f"cannot create topics: {'; '.join(refused)}. Change kafka.create_topics, or make them by hand"
        raise EnvironmentUnusable("topic_refused", message)


async def _describe(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """The settings of the topics; empty where the broker does not tell (no permission, or the embedded broker)."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    try:
        responses: list[Any] = await admin.describe_configs(asked)
    except (kafka.KafkaError, TimeoutError):
        return {}
    found: dict[str, Mapping[str, str]] = {}
    for response in responses:
        for code, _, _, topic, entries in response.resources:
            if code == 0:
                found[topic] = {entry[0]: entry[1] for entry in entries}
    return found


def _warnings(topic: str, settings: Mapping[str, str], brokers: int) -> list[str]:
    warnings: list[str] = []
    retention = int(settings.get("retention.ms", -1))
    if 0 <= retention < _LEAST_RETENTION_DAYS * _DAY_MS and "delete" in settings.get("cleanup.policy", "delete"):
        warnings.append(
            f"{topic}: retention.ms={retention} is under {_LEAST_RETENTION_DAYS} days:"
            " after an outage longer than that, notifications may be published twice"
        )
    if brokers > 1 and settings.get("min.insync.replicas") == "1":
        warnings.append(f"{topic}: min.insync.replicas=1: one broker's disk is all that holds an acked record; set 2")
    if settings.get("message.timestamp.type") == "CreateTime":
        warnings.append(
            f"{topic}: message.timestamp.type=CreateTime: a clock of ours that is behind makes records expire early;"
            " set LogAppendTime"
        )
    return warnings
