"""All that is counted of one feed, in one place.

Must not know who counts, nor under which names the numbers are shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connector.model import State
from connector.ops.lag import Lag
from connector.ops.series import OTHER, Histogram, Tally

OPERATIONS = ("list", "confirm")
CODES = ("2xx", "401", "403", "404", "429", "4xx", "5xx", "timeout", "connect", "tls")

# Every bound is a series of every feed: with twenty feeds all metrics stay under 2,000 series.
_PULL_SECONDS = (0.1, 1.0, 10.0, 100.0)
_REQUEST_SECONDS = (0.05, 0.25, 1.0, 10.0)
_DELIVERY_SECONDS = (0.01, 0.025, 0.1, 0.5, 2.0, 10.0, 60.0)
_TRANSACTION_SECONDS = (0.01, 0.05, 0.25, 2.5)
_SCAN_SECONDS = (0.1, 1.0, 10.0)
_REASONS = 12
_FIELDS = 100
# Invariant 7: a field's name comes out of the ERP's data, and what does not look like one is not shown.
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def _reasons(*known: str) -> Tally:
    return Tally(((value,) for value in (*known, OTHER)), _REASONS)


def _fields() -> Tally:
    return Tally([(OTHER,)], _FIELDS, _FIELD_NAME.fullmatch)


def _requests() -> Tally:
    return Tally((operation, code) for operation in OPERATIONS for code in CODES)


_OVERDUE_INTERVALS = 3
_OVERDUE_SECONDS = 60.0


@dataclass(slots=True)
class FeedNumbers:
    """The numbers of one feed; times are wall-clock seconds since the epoch, None while there is none."""

    site: str
    feed: str
    poll_interval_seconds: float
    is_enabled: bool = True

    state: State = State.STARTING
    reason: str | None = None
    message: str | None = None
    state_since: float | None = None
    has_shown_any: bool = False

    pulls: Tally = field(default_factory=lambda: Tally((result,) for result in ("records", "empty", "error")))
    pull_seconds: Histogram = field(default_factory=lambda: Histogram(_PULL_SECONDS))
    pull_failure: str | None = None
    requests: Tally = field(default_factory=_requests)
    request_seconds: Histogram = field(default_factory=lambda: Histogram(_REQUEST_SECONDS))
    response_bytes: int = 0
    throttled_seconds: float = 0.0

    last_pull_at: float | None = None
    last_publish_at: float | None = None
    last_confirm_at: float | None = None
    last_caught_up_at: float | None = None
    lag: Lag = field(init=False)
    pending: int | None = None
    delivery_seconds: Histogram = field(default_factory=lambda: Histogram(_DELIVERY_SECONDS))

    pulled: int = 0
    published: int = 0
    deduplicated: int = 0
    abandoned: Tally = field(default_factory=_reasons)
    confirmed: int = 0
    confirm_failures: Tally = field(default_factory=_reasons)
    regressions: int = 0
    unknown_fields: Tally = field(default_factory=_fields)
    unparseable_values: Tally = field(default_factory=_fields)

    transactions: Tally = field(default_factory=lambda: Tally((result,) for result in ("committed", "failed")))
    transaction_seconds: Histogram = field(default_factory=lambda: Histogram(_TRANSACTION_SECONDS))
    publish_failures: Tally = field(default_factory=_reasons)
    sessions: Tally = field(default_factory=lambda: _reasons("idle", "stopped", "fenced"))
    scan_records: int = 0
    scan_seconds: Histogram = field(default_factory=lambda: Histogram(_SCAN_SECONDS))
    watermark_lag: int | None = None

    def __post_init__(self) -> None:
        self.lag = Lag(max(_OVERDUE_INTERVALS * self.poll_interval_seconds, _OVERDUE_SECONDS))

    @property
    def in_flight(self) -> int:
        """Pulled, and not yet any of published, deduplicated or abandoned."""
        settled = self.published + self.deduplicated + self.abandoned.total
        return self.pulled - settled
