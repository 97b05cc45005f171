"""When the loop does the next thing: clock, backoff, and the figures that pace a feed.

Must not know what is done in between.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Protocol

from connector.errors import Blocked, ConnectorError, Fenced, Retriable


class Clock(Protocol):
    """Time as the loop sees it; tests pass one that moves by itself."""

    def now(self) -> float:
        """Wall-clock seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def wait(self, stop: asyncio.Event, seconds: float) -> None:
        """Return after so many seconds, or as soon as `stop` is set."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Wall-clock seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def wait(self, stop: asyncio.Event, seconds: float) -> None:
        """Return after so many seconds, or as soon as `stop` is set."""
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return


@dataclass(frozen=True, slots=True)
class Pace:
    """The figures that pace one feed."""

    poll_interval_seconds: float
    slice_records: int = 5000
    slice_bytes: int = 4 * 1024 * 1024
    no_progress_cap_seconds: float = 300.0
    blocked_retry_seconds: float = 60.0
    blocked_retry_cap_seconds: float = 300.0
    retry_cap_seconds: float = 60.0
    fenced_wait_seconds: float = 15.0
    idle_session_seconds: float = 930.0
    """How long a session outlives the last notification: the stale-list window and one mark more."""
    keep_alive_seconds: float = 86_400.0
    """An idle feed holds a session this often: committed offsets and transactional ids expire after 7 idle days."""
    session_seconds: float = 6 * 86_400.0
    """A producer is renewed this often: its sequence numbers must not wrap."""


class Backoff:
    """Waits that double from `first` to `cap`, with jitter so that many feeds do not come back at once."""

    def __init__(self, first: float, cap: float, jitter: random.Random | None = None) -> None:
        self._first = first
        self._cap = cap
        self._jitter = jitter or random.Random()  # noqa: S311  spreads waits out, guards nothing
        self._failures = 0

    def next(self, at_least: float | None = None) -> float:
        """The next wait in seconds: 50 to 100 % of the doubled one, and never below what the other side asked for."""
        whole = min(self._cap, self._first * float(1 << min(self._failures, 30)))
        self._failures += 1
        return max(at_least or 0.0, whole * self._jitter.uniform(0.5, 1.0))

    def reset(self) -> None:
        """Begin from the first wait again."""
        self._failures = 0


class Waits:
    """How long a feed waits after what happened; every kind of setback doubles on its own."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._retry = Backoff(1.0, pace.retry_cap_seconds)
        self._confirm = Backoff(1.0, pace.no_progress_cap_seconds)
        self._session = Backoff(1.0, pace.retry_cap_seconds)
        self._blocked = Backoff(pace.blocked_retry_seconds, pace.blocked_retry_cap_seconds)
        self._no_progress = Backoff(pace.poll_interval_seconds, pace.no_progress_cap_seconds)

    def after_error(self, error: ConnectorError) -> float:
        """The wait that an error of the ERP or of Kafka asks for, in seconds."""
        if isinstance(error, Retriable):
            return self._retry.next(error.retry_after_seconds)
        if isinstance(error, Blocked):
            return self._blocked.next()
        # Two instances that fence each other in turns would publish nothing: the one fenced stays away a heartbeat.
        return self._session.next(self._pace.fenced_wait_seconds if isinstance(error, Fenced) else None)

    def after_failed_confirm(self, at_least: float | None) -> float:
        """The wait after a confirm that failed, in seconds; the next listing would have to be loaded whole for it."""
        return max(self._pace.poll_interval_seconds, self._confirm.next(at_least))

    def after_no_progress(self) -> float:
        """The wait after a listing that showed something of which nothing could be moved, in seconds."""
        return self._no_progress.next()

    def pulled(self) -> None:
        """The ERP answered with a complete list."""
        self._retry.reset()

    def progressed(self) -> None:
        """Something was published or confirmed."""
        self._no_progress.reset()

    def delivered(self) -> None:
        """A listing was carried through to its end."""
        self._session.reset()
        self._confirm.reset()
        self._blocked.reset()
