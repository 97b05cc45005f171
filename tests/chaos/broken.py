"""Deliberately broken loops: each leaves out one rule of the delivery protocol, and nothing else.

The proof runs them beside the real one; a rule whose absence nobody notices would not be worth its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from connector.delivery import Delivery
from connector.kafka.connection import KafkaConnection
from connector.kafka.publisher import KafkaPublisher
from connector.model import Feed, Point, Record
from connector.standing import Progress


class WithoutScan(Delivery):
    """Trusts that nothing is in Kafka already."""

    async def _scan(self, partitions: Mapping[str, int]) -> None:
        del partitions


class ScanBeforeFence(Delivery):
    """Reads what is in Kafka first, and only then fences older instances."""

    async def _open(self) -> None:
        # Asked of the real publisher's own connection, since only its fence would tell otherwise.
        publisher: Any = self._publisher
        await self._scan(await partitions_of(publisher._connection, publisher._feed))
        self._reached(Point.AFTER_FENCE)  # half open, as the real loop is between its fence and its scan
        await self._fence()


class ConfirmBeforeCommit(Delivery):
    """Tells the ERP as soon as a slice is encoded."""

    async def _publish(self, records: list[Record], progress: Progress) -> None:
        if records:
            await self._source.confirm([record.sync_id for record in records])
        await super()._publish(records, progress)


async def partitions_of(connection: KafkaConnection, feed: Feed) -> dict[str, int]:
    """How many partitions the feed's topics have."""
    admin = AIOKafkaAdminClient(**connection.client_options())
    await admin.start()
    try:
        described = await admin.describe_topics([feed.topic, feed.dead_letter_topic])
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


class FuturesNotAwaited(KafkaPublisher):
    """Takes a commit that succeeded for a proof that its records arrived."""

    async def _acked(self, sent: Sequence[tuple[int, int, Any]]) -> dict[tuple[str, int], tuple[int, int]]:
        del sent
        return {}
