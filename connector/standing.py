"""How a feed stands: what the observer is shown of it, and how long it waits because of it.

Must not know how a listing is carried; it is told how far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.confirming import Confirms
from connector.errors import BadNotification, Blocked, ConnectorError
from connector.model import State
from connector.pacing import Pace, Waits
from connector.parts import Journal, Observer


@dataclass(slots=True)
class Progress:
    """How far one listing is carried."""

    count: int
    pulled_at: float
    """Monotonic seconds."""
    seen_at: float
    """Wall-clock seconds."""
    published: int = 0
    deduplicated: int = 0

    @property
    def left(self) -> int:
        """How many of its notifications are not accounted for yet."""
        return self.count - self.published - self.deduplicated


class Standing:
    """The standing of one feed.

    Args:
        observer: who is shown it.
        pace: the figures.
        now: wall-clock seconds.
        confirm: False when the ERP is never told, so that publishing is all there is to do.
    """

    def __init__(self, observer: Observer, pace: Pace, now: Callable[[], float], *, confirm: bool) -> None:
        self._observer = observer
        self._pace = pace
        self._waits = Waits(pace)
        self._now = now
        self._confirm = confirm
        self._is_blocked = False
        self._unpublished_since: float | None = None
        self._pending = 0
        self.caught_up_at: float | None = None

    def first_seen(self, progress: Progress) -> float:
        """When the oldest notification not yet published was first listed; wall-clock seconds, never too late."""
        return self._unpublished_since or progress.seen_at

    def pulled(self) -> None:
        """The ERP answered with a complete list."""
        self._waits.pulled()

    def delivering(self, progress: Progress, journal: Journal) -> None:
        """A listing that shows something is being carried; from here on it is pending (Invariant 6)."""
        self._unpublished_since = since = self.first_seen(progress)
        _, oldest = journal.pending() if self._confirm else (0, None)
        self._observer.pending(progress.count, min(since, oldest or since))
        if not self._is_blocked:
            self._observer.state(State.DELIVERING)

    def all_published(self) -> None:
        """Everything the listing shows is in Kafka."""
        self._unpublished_since = None

    def setback(self, error: ConnectorError) -> float:
        """Show the error; returns the seconds to wait."""
        self._show(error)
        return self._waits.after_error(error)

    def caught_up(self, *, is_state: bool = True) -> None:
        """The pull had nothing left to publish or confirm."""
        self.caught_up_at = self._now()
        self._unpublished_since = None
        self._is_blocked = False
        self._observer.caught_up()
        if is_state:
            self._observer.state(State.CAUGHT_UP)

    def pending(self, progress: Progress, journal: Journal) -> None:
        """Show what is listed and not confirmed: unpublished, or published and the ERP not told (Invariant 6)."""
        unconfirmed, oldest = journal.pending() if self._confirm else (0, None)
        if progress.left:
            oldest = min(self.first_seen(progress), oldest or progress.seen_at)
        self._pending = progress.left + unconfirmed
        self._observer.pending(self._pending, oldest)

    def after_listing(self, progress: Progress, confirms: Confirms, bad: BadNotification | None) -> float:
        """Show how the listing ended; returns the seconds to wait before the next pull."""
        moved = progress.published + confirms.newly_confirmed
        if moved:
            self._waits.progressed()
        if bad is not None:
            return self.setback(bad)
        if confirms.error is not None:
            self._show(confirms.error)
            # What cannot be confirmed must not make us load the list in a loop, nor keep news from Kafka for long.
            if isinstance(confirms.error, Blocked):
                return self._pace.poll_interval_seconds if moved else self._waits.after_no_progress()
            return self._waits.after_failed_confirm(confirms.error.retry_after_seconds)
        self._waits.delivered()
        # Where the ERP is never told, its list stays as it is: there is nothing to come back for at once.
        is_done = progress.count == 0 or not self._confirm
        if not self._pending:
            self.caught_up(is_state=is_done)
        if is_done:
            return self._pace.poll_interval_seconds
        return 0.0 if moved else self._waits.after_no_progress()

    def _show(self, error: ConnectorError) -> None:
        """What keeps the feed from delivering (Invariant 6)."""
        self._is_blocked = isinstance(error, Blocked)
        self._observer.state(State.BLOCKED if self._is_blocked else State.BACKING_OFF, error.reason, error.message)
