"""Confirms beside the loop: one call to the ERP at a time, overlapping the next slice.

Must not know how a confirm travels; it is handed only SyncIDs whose records are acked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from connector.errors import Blocked, Retriable
from connector.model import Point

_FAILURES_PER_LISTING = 3


class Confirmable(Protocol):
    """What of a source this module needs."""

    async def confirm(self, sync_ids: Sequence[int]) -> None:
        """Tell the ERP that these are received; see delivery.Source."""


class Settled(Protocol):
    """What of a journal this module needs."""

    def confirmed(self, sync_ids: Sequence[int]) -> int:
        """The ERP accepted these; see parts.Journal."""

    def perhaps_confirmed(self, sync_ids: Sequence[int]) -> None:
        """Their confirm failed; see parts.Journal."""


class ConfirmObserver(Protocol):
    """Who is told what came of it."""

    def confirmed(self, count: int) -> None:
        """The ERP accepted so many SyncIDs."""

    def confirm_failed(self, reason: str) -> None:
        """One confirm was refused, or its outcome is unknown."""


class Confirms:
    """The confirms of one listing.

    Args:
        source: who is told.
        settled: what the answers are noted in.
        observer: counts.
        reached: the named points.
    """

    def __init__(
        self,
        source: Confirmable,
        settled: Settled,
        observer: ConfirmObserver,
        reached: Callable[[Point], None],
    ) -> None:
        self._source = source
        self._settled = settled
        self._observer = observer
        self._reached = reached
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self.newly_confirmed = 0
        self.error: Retriable | Blocked | None = None

    async def begin(self, sync_ids: Sequence[int]) -> None:
        """Wait for the confirm in hand, then start this one and return.

        After a refusal by permission, or three failures, the rest of the listing is left alone: it is listed again.
        """
        await self.finish()
        if sync_ids and not isinstance(self.error, Blocked) and self._failures < _FAILURES_PER_LISTING:
            self._task = asyncio.create_task(self._confirm(sync_ids))

    async def finish(self) -> None:
        """Wait for the confirm in hand; what it raised beyond the ERP's own failures is raised here."""
        if self._task is not None:
            task, self._task = self._task, None
            try:
                await task
            finally:
                task.cancel()  # this wait was cancelled: no confirm outlives its session

    async def drop(self) -> None:
        """Give the confirm in hand up, whatever it did: the next list tells."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])

    async def _confirm(self, sync_ids: Sequence[int]) -> None:
        self._reached(Point.BEFORE_CONFIRM)
        try:
            await self._source.confirm(sync_ids)
        except asyncio.CancelledError:
            self._settled.perhaps_confirmed(sync_ids)
            raise
        except (Retriable, Blocked) as error:
            # The SyncIDs are listed again, or they are gone: the next listing tells, so nothing is lost here.
            self._settled.perhaps_confirmed(sync_ids)  # some of them, or all: refused in the middle, or not answered
            self._failures += 1
            self.error = error
            self._observer.confirm_failed(error.reason)
            return
        self._reached(Point.AFTER_CONFIRM)
        self.newly_confirmed += self._settled.confirmed(sync_ids)
        self._observer.confirmed(len(sync_ids))
