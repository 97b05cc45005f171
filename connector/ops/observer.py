"""Hears what happens to one feed, from the loop and from the parts around it, and counts it.

Must not know what is done with the numbers. Each method is cheap, raises nothing, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from connector.model import State
from connector.ops.feed_log import FeedLog
from connector.ops.numbers import OPERATIONS, FeedNumbers


class FeedObserver:
    """What one feed is observed with.

    Args:
        numbers: where it is counted.
        log: where what an operator must read is written.
        wall: wall-clock seconds since the epoch.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, numbers: FeedNumbers, log: FeedLog, *, wall: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self.numbers = numbers
        self._log = log
        self._wall = wall
        self._monotonic = monotonic
        self._beat_at = monotonic()

    @property
    def seconds_since_beat(self) -> float:
        """How long the feed's task has shown no sign of life."""
        return self._monotonic() - self._beat_at

    def state(self, state: State, reason: str | None = None, message: str | None = None) -> None:
        """What the feed does now; reason and message say why it does not deliver."""
        numbers = self.numbers
        if state is not numbers.state or numbers.state_since is None:
            numbers.state_since = self._wall()
        numbers.state, numbers.reason, numbers.message = state, reason, message
        self._log.state(state, reason, message)

    def beat(self) -> None:
        """The feed's task is alive."""
        self._beat_at = self._monotonic()

    def pulled(self, count: int, seconds: float) -> None:
        """A complete list was received."""
        numbers = self.numbers
        now = numbers.last_pull_at = self._wall()
        numbers.pulls.add("records" if count else "empty")
        numbers.pull_seconds.observe(seconds)
        numbers.pulled += count
        numbers.pull_failure = None
        numbers.lag.pulled(now)
        if count:
            numbers.has_shown_any = True
        else:
            numbers.pending = 0

    def pull_failed(self, reason: str) -> None:
        """A list was not received, or did not count."""
        self.numbers.pulls.add("error")
        self.numbers.pull_failure = reason
        self.numbers.lag.pull_failed()

    def deduplicated(self, count: int) -> None:
        """So many listed notifications were in Kafka already."""
        self.numbers.deduplicated += count

    def published(self, count: int, seconds_since_pull: float) -> None:
        """So many records are committed, as long after their list came in."""
        self.numbers.published += count
        self.numbers.last_publish_at = self._wall()
        self.numbers.delivery_seconds.observe(seconds_since_pull, count)

    def abandoned(self, reason: str, count: int) -> None:
        """So many listed notifications were not published; they are listed again."""
        self.numbers.abandoned.add(reason, count=count)

    def regressed(self, count: int) -> None:
        """So many SyncIDs were first offered after a higher one was published."""
        self.numbers.regressions += count

    def confirmed(self, count: int) -> None:
        """The ERP accepted so many SyncIDs."""
        self.numbers.confirmed += count
        self.numbers.last_confirm_at = self._wall()

    def confirm_failed(self, reason: str) -> None:
        """One confirm was refused, or its outcome is unknown."""
        self.numbers.confirm_failures.add(reason)

    def pending(self, count: int, oldest_first_seen: float | None) -> None:
        """So many notifications are listed and not confirmed; the oldest was first seen then."""
        self.numbers.pending = count
        self.numbers.lag.pending(oldest_first_seen)

    def caught_up(self) -> None:
        """The pull had nothing left to publish or confirm."""
        self.numbers.last_caught_up_at = self._wall()
        self.numbers.lag.caught_up()

    def restored(self, caught_up_at: float | None) -> None:
        """When an earlier session was last caught up, as the watermark's metadata says."""
        if caught_up_at is None:
            return
        numbers = self.numbers
        numbers.lag.restored(caught_up_at)
        numbers.last_caught_up_at = max(caught_up_at, numbers.last_caught_up_at or caught_up_at)

    def session_started(self) -> None:
        """Fencing begins, since the feed offers something or has to be kept alive."""
        self.numbers.lag.offered(self._wall())

    def session_ended(self, reason: str) -> None:
        """The session is over."""
        self.numbers.sessions.add(reason)

    def scanned(self, records: int, seconds: float) -> None:
        """The scan is complete."""
        self.numbers.scan_records += records
        self.numbers.scan_seconds.observe(seconds)
        self.numbers.has_shown_any |= records > 0

    def watermark_lag(self, records: int) -> None:
        """So many records lie above the watermark."""
        self.numbers.watermark_lag = records

    def transaction(self, result: str, seconds: float) -> None:
        """A transaction is over: `committed` or `failed`."""
        self.numbers.transactions.add(result)
        self.numbers.transaction_seconds.observe(seconds)

    def publish_failed(self, reason: str) -> None:
        """A slice was not acked."""
        self.numbers.publish_failures.add(reason)

    def requested(self, operation: str, code: str, seconds: float, response_bytes: int) -> None:
        """One HTTP request to the ERP is over: `list` or `confirm`, and what came of it."""
        numbers = self.numbers
        if operation in OPERATIONS:
            numbers.requests.add(operation, code)
        numbers.request_seconds.observe(seconds)
        numbers.response_bytes += response_bytes

    def throttled(self, seconds: float) -> None:
        """The ERP asked for a wait of so many seconds."""
        self.numbers.throttled_seconds += seconds

    def unknown_field(self, name: str) -> None:
        """A record has a field that its schema does not know."""
        self.numbers.unknown_fields.add(name)

    def unparseable_value(self, field: str) -> None:
        """A record's value does not fit its field's type."""
        self.numbers.unparseable_values.add(field)
