"""The lag, in every situation in which somebody looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ops.lag import Lag


@pytest.fixture
def lag() -> Lag:
    return Lag()


def test_unknown_before_the_first_good_pull(lag: Lag) -> None:
    """A feed that was never pulled has no lag to show, neither 0 nor a large one."""
    assert lag.seconds(100.0) is None
    lag.pull_failed()
    assert lag.seconds(100.0) is None


def test_zero_when_caught_up(lag: Lag) -> None:
    """An idle night shows 0 however long it lasts."""
    lag.pulled(100.0)
    lag.caught_up()
    assert lag.seconds(9_000.0) == 0.0


def test_grows_with_the_oldest_pending(lag: Lag) -> None:
    """What is listed and not confirmed ages, whether or not anything is told."""
    lag.pulled(100.0)
    lag.pending(90.0)
    assert [lag.seconds(now) for now in (100.0, 150.0)] == [10.0, 60.0]
    lag.pending(None)
    assert lag.seconds(150.0) == 0.0


def test_grows_while_pulls_fail(lag: Lag) -> None:
    """Behind an ERP that does not answer, something may wait since the last good pull."""
    lag.pulled(100.0)
    lag.caught_up()
    lag.pull_failed()
    assert lag.seconds(160.0) == 60.0
    lag.pulled(170.0)
    assert lag.seconds(171.0) == 0.0


def test_failing_pulls_never_make_it_smaller(lag: Lag) -> None:
    """The oldest pending one still counts when pulls fail."""
    lag.pulled(100.0)
    lag.pending(40.0)
    lag.pull_failed()
    assert lag.seconds(160.0) == 120.0


def test_grows_while_an_offer_cannot_be_carried(lag: Lag) -> None:
    """With Kafka down no list is pulled, but the feed is known to offer something."""
    lag.pulled(100.0)
    lag.caught_up()
    lag.offered(110.0)
    lag.offered(140.0)
    assert lag.seconds(150.0) == 40.0
    lag.pulled(160.0)
    assert lag.seconds(160.0) == 50.0
    lag.pending(160.0)
    lag.caught_up()
    assert lag.seconds(170.0) == 0.0


def test_offer_is_known_before_the_first_pull(lag: Lag) -> None:
    """A start with Kafka down shows a lag from the first sight on."""
    lag.offered(100.0)
    assert lag.seconds(130.0) == 30.0


def test_restored_time_counts_while_pulls_fail(lag: Lag) -> None:
    """After a restart in an outage, the lag goes back to when the earlier process was caught up."""
    lag.restored(50.0)
    assert lag.seconds(100.0) == 50.0
    lag.offered(100.0)
    assert lag.seconds(101.0) == 1.0
    lag.pull_failed()
    assert lag.seconds(110.0) == 60.0


def test_restored_time_does_not_replace_a_good_pull(lag: Lag) -> None:
    """What this process saw itself counts more than what an earlier one wrote down."""
    lag.pulled(100.0)
    lag.caught_up()
    lag.restored(50.0)
    lag.pull_failed()
    assert lag.seconds(110.0) == 10.0


@given(
    st.lists(st.tuples(st.sampled_from(["offered", "pulled", "restored", "pending"]), st.floats(0, 1e9)), max_size=8),
    st.floats(0, 1e9),
)
def test_never_negative(events: list[tuple[str, float]], now: float) -> None:
    """A wall clock that is set back never makes a negative lag."""
    lag = Lag()
    for name, at in events:
        getattr(lag, name)(at)
    seconds = lag.seconds(now)
    assert seconds is None or seconds >= 0.0
