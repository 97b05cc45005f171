"""Deliberately broken loops: each leaves out one rule of the delivery protocol, and nothing else.

The proof runs them beside the real one; a rule whose absence nobody notices would not be worth its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.delivery import Delivery
from connector.kafka.publisher import KafkaPublisher
from connector.model import Point, Record
from connector.standing import Progress


class WithoutScan(Delivery):
    """Trusts that nothing is in Kafka already."""

    async def _scan(self, partitions: Mapping[str, int]) -> None:
        del partitions


class ScanBeforeFence(Delivery):
    """Reads what is in Kafka first, and only then fences older instances."""

    async def _open(self) -> None:
        partitions = await self._fence()  # to learn the partitions; whoever fences again after this is not stopped
        await self._publisher.discard()
        await self._scan(partitions)
        self._reached(Point.AFTER_FENCE)  # half open, as the real loop is between its fence and its scan
        await self._fence()


class ConfirmBeforeCommit(Delivery):
    """Tells the ERP as soon as a slice is encoded."""

    async def _publish(self, records: list[Record], progress: Progress) -> None:
        if records:
            await self._source.confirm([record.sync_id for record in records])
        await super()._publish(records, progress)


class FuturesNotAwaited(KafkaPublisher):
    """Takes a commit that succeeded for a proof that its records arrived."""

    async def _acked(self, sent: Sequence[tuple[int, int, Any]]) -> dict[tuple[str, int], tuple[int, int]]:
        del sent
        return {}
