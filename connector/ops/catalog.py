"""Every metric: its name, kind, labels and meaning, and which number it shows.

Must not know how metrics are written out, nor who counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from connector.model import State
from connector.ops.numbers import FeedNumbers
from connector.ops.series import Histogram, Tally

PREFIX = "cien_connector_"
Kind = Literal["counter", "gauge", "histogram"]
Shown = float | Histogram | Tally | None
"""What a metric shows of a feed; None while there is nothing to show: the series is absent then."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of the process."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The name with our prefix."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True)
class FeedFamily(Family):
    """One metric that every feed has; its first labels are site and feed."""

    read: Callable[[FeedNumbers, float], Shown] = lambda _numbers, _now: None


BUILD_INFO = Family(
    "build_info", "gauge", "Always 1; the labels say what runs.", ("version", "revision", "python_version")
)
EVENT_LOOP_LAG = Family("event_loop_lag_seconds", "histogram", "How late the event loop wakes a task that slept.")
VERIFICATION_DISABLED = Family(
    "tls_verification_disabled", "gauge", "1 where the server's certificate is not verified, else 0.", ("endpoint",)
)
PROCESS_FAMILIES = (BUILD_INFO, EVENT_LOOP_LAG, VERIFICATION_DISABLED)


def _feed(name: str, kind: Kind, help_text: str, read: Callable[[FeedNumbers], Shown], *labels: str) -> FeedFamily:
    return FeedFamily(name, kind, help_text, ("site", "feed", *labels), lambda numbers, _now: read(numbers))


def _states(numbers: FeedNumbers) -> Tally:
    states = Tally((state.value,) for state in State)
    states.add(numbers.state.value)
    return states


FEED_FAMILIES = (
    _feed("feed_enabled", "gauge", "1 when the feed is to be carried.", lambda n: float(n.is_enabled)),
    _feed("feed_state", "gauge", "1 for the state the feed is in, 0 for the others.", _states, "state"),
    _feed(
        "feed_poll_interval_seconds", "gauge", "How often an idle feed is pulled.", lambda n: n.poll_interval_seconds
    ),
    _feed("pulls_total", "counter", "Pulls, by what came of them.", lambda n: n.pulls, "result"),
    _feed("pull_duration_seconds", "histogram", "Time to receive one complete list.", lambda n: n.pull_seconds),
    _feed("source_requests_total", "counter", "HTTP requests to the ERP.", lambda n: n.requests, "operation", "code"),
    _feed(
        "source_request_duration_seconds",
        "histogram",
        "Time of one HTTP request to the ERP.",
        lambda n: n.request_seconds,
    ),
    _feed("source_response_bytes_total", "counter", "Bytes the ERP answered.", lambda n: n.response_bytes),
    _feed(
        "source_throttled_seconds_total",
        "counter",
        "Waits that the ERP asked for (Retry-After).",
        lambda n: n.throttled_seconds,
    ),
    _feed(
        "feed_last_pull_success_timestamp_seconds",
        "gauge",
        "When a complete list was last received.",
        lambda n: n.last_pull_at,
    ),
    _feed(
        "feed_last_publish_success_timestamp_seconds",
        "gauge",
        "When records were last committed.",
        lambda n: n.last_publish_at,
    ),
    _feed(
        "feed_last_confirm_success_timestamp_seconds",
        "gauge",
        "When the ERP last accepted a confirm.",
        lambda n: n.last_confirm_at,
    ),
    _feed(
        "feed_last_caught_up_timestamp_seconds",
        "gauge",
        "When nothing was left to publish or confirm; survives a restart.",
        lambda n: n.last_caught_up_at,
    ),
    FeedFamily(
        "feed_lag_seconds",
        "gauge",
        "Age of the oldest pending notification; 0 when caught up, absent while unknown, and at least the time since"
        " the last good pull while pulls fail.",
        ("site", "feed"),
        lambda numbers, now: numbers.lag.seconds(now),
    ),
    _feed("feed_pending_records", "gauge", "Notifications listed and not yet confirmed.", lambda n: n.pending),
    _feed(
        "delivery_latency_seconds",
        "histogram",
        "From the list's answer to the commit, for each record.",
        lambda n: n.delivery_seconds,
    ),
    _feed("records_pulled_total", "counter", "Notifications in complete lists, repeats included.", lambda n: n.pulled),
    _feed("records_published_total", "counter", "Records committed in Kafka.", lambda n: n.published),
    _feed(
        "records_deduplicated_total", "counter", "Notifications that were in Kafka already.", lambda n: n.deduplicated
    ),
    _feed(
        "records_abandoned_total",
        "counter",
        "Notifications pulled but not published; they are listed again.",
        lambda n: n.abandoned,
        "reason",
    ),
    _feed("notifications_confirmed_total", "counter", "SyncIDs that the ERP accepted.", lambda n: n.confirmed),
    _feed(
        "confirm_failures_total",
        "counter",
        "Confirms refused, or of unknown outcome.",
        lambda n: n.confirm_failures,
        "reason",
    ),
    _feed(
        "unknown_fields_total",
        "counter",
        "Fields that the schema does not know; their values are kept.",
        lambda n: n.unknown_fields,
        "field",
    ),
    _feed(
        "unparseable_values_total",
        "counter",
        "Values that do not fit their field's type; they are kept as text.",
        lambda n: n.unparseable_values,
        "field",
    ),
    _feed(
        "sync_id_regressions_total",
        "counter",
        "SyncIDs first offered after a higher one was published.",
        lambda n: n.regressions,
    ),
    _feed("transactions_total", "counter", "Kafka transactions.", lambda n: n.transactions, "result"),
    _feed(
        "transaction_duration_seconds",
        "histogram",
        "Time of one Kafka transaction, begin to commit.",
        lambda n: n.transaction_seconds,
    ),
    _feed("publish_errors_total", "counter", "Slices that were not acked.", lambda n: n.publish_failures, "reason"),
    _feed("sessions_total", "counter", "Sessions, by why they ended.", lambda n: n.sessions, "reason"),
    _feed("scan_records_total", "counter", "Records read by scans.", lambda n: n.scan_records),
    _feed("scan_duration_seconds", "histogram", "Time of one scan.", lambda n: n.scan_seconds),
    _feed("watermark_lag_records", "gauge", "Records above the watermark.", lambda n: n.watermark_lag),
)
