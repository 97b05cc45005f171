"""What /status tells."""

from __future__ import annotations

import json

from connector.model import State
from connector.ops.observer import FeedObserver
from connector.ops.status import NONE_EVER_SEEN, Program, status_document
from tests.fakes.hand_clock import HandClock

PROGRAM = Program(app="plant1", version="0.1.0", started_at=1_700_000_000.0)


def feed_of(observer: FeedObserver, clock: HandClock) -> dict[str, object]:
    [feed] = status_document(PROGRAM, [observer.numbers], clock.now)["feeds"]
    return dict(feed)


def test_blocked_feed_says_why(observer: FeedObserver, clock: HandClock) -> None:
    """Who opens /status reads what is wrong and since when."""
    observer.state(State.BLOCKED, "login_page", "the ERP answered with a login page")
    feed = feed_of(observer, clock)
    assert (feed["state"], feed["reason"]) == ("blocked", "login_page")
    assert feed["message"] == "the ERP answered with a login page"
    assert feed["state_since"] == "2023-11-14T22:13:20.000+00:00"


def test_feed_that_never_showed_anything_says_what_to_look_at(observer: FeedObserver, clock: HandClock) -> None:
    """Empty lists from the first day on mean a module that is off, more often than a quiet company."""
    assert feed_of(observer, clock)["hint"] is None
    observer.pulled(0, 0.1)
    assert feed_of(observer, clock)["hint"] == NONE_EVER_SEEN
    observer.pulled(1, 0.1)
    assert feed_of(observer, clock)["hint"] is None
    observer.pulled(0, 0.1)
    assert feed_of(observer, clock)["hint"] is None


def test_feed_whose_scan_found_records_has_shown_some(observer: FeedObserver, clock: HandClock) -> None:
    """What an earlier process published counts as seen."""
    observer.pulled(0, 0.1)
    observer.scanned(5, 0.1)
    assert feed_of(observer, clock)["hint"] is None


def test_counts_and_times(observer: FeedObserver, clock: HandClock) -> None:
    """The document holds the numbers an operator asks for first."""
    observer.pulled(10, 0.1)
    observer.published(7, 0.1)
    observer.confirmed(6)
    observer.pending(4, clock.now - 12.3456)
    observer.pull_failed("timeout")
    feed = feed_of(observer, clock)
    assert (feed["pending"], feed["lag_seconds"], feed["last_pull_failure"]) == (4, 12.346, "timeout")
    assert feed["last_confirm_at"] == "2023-11-14T22:13:20.000+00:00"
    assert feed["last_caught_up_at"] is None
    counts = feed["counts"]
    assert isinstance(counts, dict)
    assert (counts["pulled"], counts["published"], counts["in_flight"], counts["confirmed"]) == (10, 7, 3, 6)
    assert (counts["pulls"], counts["pulls_failed"]) == (1, 1)


def test_document_is_json(observer: FeedObserver, clock: HandClock) -> None:
    """The whole document is plain values, and names the program."""
    document = json.loads(json.dumps(status_document(PROGRAM, [observer.numbers], clock.now)))
    assert (document["app"], document["version"]) == ("plant1", "0.1.0")
    assert document["started_at"] == "2023-11-14T22:13:20.000+00:00"
