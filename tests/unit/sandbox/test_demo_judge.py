"""The demo's figures are honest: what is doubled, lost, left or made up is counted, and the exit code is 1."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.demo_judge import Figures, Seen, judge

TOPICS = {"site.order": "order", "site.quotation": "quotation"}


@dataclass(frozen=True)
class Notification:
    sync_id: int
    feed: str = "order"
    confirmed_at: float | None = 1.0


def line(sync_id: int, topic: str = "site.order", step: str = "ENTERED") -> bytes:
    value = {"SyncID": sync_id, "Order_Step_Desc": step}
    return json.dumps({"topic": topic, "partition": 0, "key": str(sync_id), "value": value}).encode()


def judged(truth: Iterable[Notification], lines: Sequence[bytes]) -> Figures:
    seen = Seen(TOPICS)
    for number, one in enumerate(lines):
        seen.note(one, float(number))
    return judge(truth, seen, lag=0.0)


def test_every_notification_once() -> None:
    """Nothing wrong, exit code 0, and the three counts agree."""
    figures = judged([Notification(1), Notification(2)], [line(2), line(1)])
    assert (figures.created, figures.published, figures.confirmed) == (2, 2, 2)
    assert figures.problems == []
    assert figures.exit_code == 0


def test_a_record_twice() -> None:
    """A record that the consumer read again is doubled, and published only once."""
    figures = judged([Notification(1)], [line(1), line(1)])
    assert (figures.published, figures.duplicated, figures.lost) == (1, 1, 0)
    assert figures.exit_code == 1


def test_confirmed_and_never_read() -> None:
    """What the ERP no longer offers and no consumer saw is lost."""
    figures = judged([Notification(1), Notification(2)], [line(1)])
    assert (figures.lost, figures.pending) == (1, 0)
    assert figures.exit_code == 1


def test_a_loss_beside_a_double() -> None:
    """They do not cancel out: two records read, two notifications, and both wrongs are counted."""
    figures = judged([Notification(1), Notification(2)], [line(1), line(1)])
    assert (figures.lost, figures.duplicated) == (1, 1)


def test_read_in_another_feed() -> None:
    """A SyncID in the wrong topic does not stand for the notification."""
    figures = judged([Notification(1)], [line(1, topic="site.quotation")])
    assert (figures.lost, figures.unexpected) == (1, 1)


def test_still_pending() -> None:
    """What the ERP still offers is not lost, and the run is no success."""
    figures = judged([Notification(1, confirmed_at=None)], [])
    assert (figures.pending, figures.lost) == (1, 0)
    assert figures.exit_code == 1


def test_a_record_nobody_created() -> None:
    """A record of an unknown SyncID is no success either."""
    figures = judged([Notification(1)], [line(1), line(7)])
    assert (figures.unexpected, figures.duplicated) == (1, 0)
    assert figures.exit_code == 1


def test_a_second_content() -> None:
    """The same SyncID with another content is another record, which no notification explains."""
    figures = judged([Notification(1)], [line(1), line(1, step="INVOICED")])
    assert (figures.published, figures.unexpected) == (2, 1)
    assert figures.exit_code == 1


@pytest.mark.parametrize("count", [1, 11])
def test_records_per_second(count: int) -> None:
    """Records over the seconds from the first to the last, which count as one second at least."""
    figures = judged([Notification(n) for n in range(count)], [line(n) for n in range(count)])
    assert figures.records_per_second == (1.0 if count == 1 else 1.1)


@given(st.lists(st.booleans()), st.lists(st.integers(0, 20)))
def test_counted_like_by_hand(confirmed: list[bool], read: list[int]) -> None:
    """For any run the figures are those that a person counts."""
    truth = [Notification(n, confirmed_at=1.0 if is_confirmed else None) for n, is_confirmed in enumerate(confirmed)]
    figures = judged(truth, [line(n) for n in read])
    assert figures.duplicated == sum(read.count(n) - 1 for n in set(read))
    assert figures.lost == sum(is_confirmed and n not in read for n, is_confirmed in enumerate(confirmed))
    assert figures.unexpected == sum(n >= len(confirmed) for n in set(read))
    assert figures.pending + figures.confirmed == figures.created == len(confirmed)
    assert (figures.exit_code == 0) == (sorted(read) == list(range(len(confirmed))) and all(confirmed))
