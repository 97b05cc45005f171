"""How old the oldest notification is that is listed and not yet confirmed: the lag.

Must not know how notifications are delivered. Times are wall-clock seconds since the epoch; nothing grows by being
told, it is computed when asked, so that it grows while everything else is stuck.
"""

from __future__ import annotations

import math


class Lag:
    """The lag of one feed.

    The ERP gives no notification a time, so its age counts from when it was first seen. While pulls fail nobody knows
    what waits behind them: the lag is then at least the time since the last good pull.

    Args:
        overdue_seconds: after so long without a complete list, nobody knows either.
    """

    __slots__ = ("_has_pulled", "_is_failing", "_known_good", "_offered_at", "_oldest", "_overdue_seconds")

    def __init__(self, overdue_seconds: float = math.inf) -> None:
        self._overdue_seconds = overdue_seconds
        self._known_good: float | None = None
        self._has_pulled = False
        self._is_failing = False
        self._offered_at: float | None = None
        self._oldest: float | None = None

    def offered(self, now: float) -> None:
        """The feed offers something, whose list is not carried yet."""
        if self._offered_at is None:
            self._offered_at = now

    def pull_failed(self) -> None:
        """From here on nobody knows what waits."""
        self._is_failing = True

    def pulled(self, now: float) -> None:
        """A complete list came in."""
        self._known_good = now
        self._has_pulled = True
        self._is_failing = False

    def restored(self, caught_up_at: float) -> None:
        """An earlier process was caught up then; what this one saw itself counts more."""
        if not self._has_pulled:
            self._known_good = caught_up_at

    def pending(self, oldest_first_seen: float | None) -> None:
        """The oldest that is listed and not confirmed was first seen then, None when nothing is."""
        self._oldest = oldest_first_seen
        self._offered_at = None

    def caught_up(self) -> None:
        """Nothing is left."""
        self._oldest = self._offered_at = None

    def seconds(self, now: float) -> float | None:
        """The lag, None while nobody can know it."""
        # Invariant 6: computed when asked, so that it grows even when the feed's task does nothing any more.
        since = [at for at in (self._oldest, self._offered_at) if at is not None]
        if self._known_good is not None:
            is_overdue = now - self._known_good > self._overdue_seconds
            if self._is_failing or is_overdue or not (since or self._has_pulled):
                since.append(self._known_good)
        if since:
            return max(0.0, now - min(since))
        return 0.0 if self._has_pulled and not self._is_failing else None
