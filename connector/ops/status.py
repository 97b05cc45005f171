"""What /status tells: every feed's state, in plain words and numbers.

Must not know how it is served. It holds no personal data, no token and no URL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connector.ops.numbers import FeedNumbers

NONE_EVER_SEEN = "none ever seen: is the module API Triggers Activation on?"


@dataclass(frozen=True, slots=True)
class Program:
    """What runs here."""

    app: str
    version: str
    started_at: float
    """Wall-clock seconds since the epoch."""


def status_document(program: Program, feeds: Iterable[FeedNumbers], now: float) -> dict[str, Any]:
    """The whole document, of plain values."""
    return {
        "app": program.app,
        "version": program.version,
        "started_at": _time(program.started_at),
        "feeds": [_feed(numbers, now) for numbers in feeds],
    }


def _feed(numbers: FeedNumbers, now: float) -> dict[str, Any]:
    lag = numbers.lag.seconds(now)
    return {
        "site": numbers.site,
        "feed": numbers.feed,
        "enabled": numbers.is_enabled,
        "state": numbers.state.value,
        "state_since": _time(numbers.state_since),
        "reason": numbers.reason,
        "message": numbers.message,
        "hint": _hint(numbers),
        "poll_interval_seconds": numbers.poll_interval_seconds,
        "lag_seconds": None if lag is None else round(lag, 3),
        "pending": numbers.pending,
        "last_pull_at": _time(numbers.last_pull_at),
        "last_pull_failure": numbers.pull_failure,
        "last_publish_at": _time(numbers.last_publish_at),
        "last_confirm_at": _time(numbers.last_confirm_at),
        "last_caught_up_at": _time(numbers.last_caught_up_at),
        "counts": _counts(numbers),
    }


def _counts(numbers: FeedNumbers) -> dict[str, int]:
    return {
        "pulls": numbers.pulls["records"] + numbers.pulls["empty"],
        "pulls_failed": numbers.pulls["error"],
        "pulled": numbers.pulled,
        "published": numbers.published,
        "deduplicated": numbers.deduplicated,
        "abandoned": numbers.abandoned.total,
        "in_flight": numbers.in_flight,
        "confirmed": numbers.confirmed,
        "confirms_failed": numbers.confirm_failures.total,
        "unknown_fields": numbers.unknown_fields.total,
        "unparseable_values": numbers.unparseable_values.total,
        "sync_id_regressions": numbers.regressions,
    }


def _hint(numbers: FeedNumbers) -> str | None:
    """The ERP's document, under "Module": without that module no notification is ever made."""
    return NONE_EVER_SEEN if numbers.last_pull_at is not None and not numbers.has_shown_any else None


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
