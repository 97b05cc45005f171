"""What the observer makes of what it is told."""

from __future__ import annotations

import inspect

import pytest

from connector.confirming import ConfirmObserver
from connector.encoding.drift import DriftObserver
from connector.erp.http import RequestObserver
from connector.kafka.publisher import TransactionObserver
from connector.model import State
from connector.ops.observer import FeedObserver
from connector.parts import Observer
from tests.fakes.hand_clock import HandClock


@pytest.mark.parametrize("protocol", [Observer, ConfirmObserver, DriftObserver, RequestObserver, TransactionObserver])
def test_hears_all_that_the_parts_tell(protocol: type) -> None:
    """One observer serves the loop and every part: same names, same arguments."""
    told = {name: method for name, method in inspect.getmembers(protocol, inspect.isfunction) if name[0] != "_"}
    for name, method in told.items():
        ours = getattr(FeedObserver, name)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(method).parameters), name


def test_every_notification_pulled_is_accounted_for(observer: FeedObserver) -> None:
    """Pulled = published + deduplicated + abandoned + in flight, at any time."""
    numbers = observer.numbers
    observer.pulled(100, 0.5)
    observer.published(40, 0.1)
    observer.deduplicated(30)
    assert numbers.in_flight == 30
    observer.abandoned("stopped", 30)
    assert numbers.in_flight == 0


def test_latency_counts_every_record_of_a_slice(observer: FeedObserver) -> None:
    """A slice of five thousand is five thousand observations, at the cost of one."""
    observer.published(5000, 0.02)
    assert dict(observer.numbers.delivery_seconds.cumulative())["0.01"] == 0
    assert dict(observer.numbers.delivery_seconds.cumulative())["0.025"] == 5000
    assert observer.numbers.delivery_seconds.sum == pytest.approx(100.0)


def test_state_keeps_its_reason_until_it_changes(observer: FeedObserver, clock: HandClock) -> None:
    """A blocked feed shows why and since when; a recovered one shows nothing of it."""
    observer.state(State.BLOCKED, "login_page", "the ERP answered with a login page")
    since = clock.now
    clock.move(60)
    observer.state(State.BLOCKED, "login_page", "the ERP answered with a login page")
    assert (observer.numbers.reason, observer.numbers.state_since) == ("login_page", since)
    observer.state(State.DELIVERING)
    assert (observer.numbers.reason, observer.numbers.message) == (None, None)
    assert observer.numbers.state_since == clock.now


def test_beat_ages(observer: FeedObserver, clock: HandClock) -> None:
    """A task that shows no sign of life is noticed by the age of the last one."""
    clock.move(30)
    assert observer.seconds_since_beat == 30
    observer.beat()
    assert observer.seconds_since_beat == 0


def test_field_names_that_are_none_are_not_shown(observer: FeedObserver) -> None:
    """A key that holds a customer's name is counted, and its name shown nowhere."""
    for name in ("AncienSoumission", "Marie Tremblay", "(418) 555-0199", "x" * 65, ""):
        observer.unknown_field(name)
        observer.unparseable_value(name)
    assert dict(observer.numbers.unknown_fields) == {("other",): 4, ("AncienSoumission",): 1}
    assert dict(observer.numbers.unparseable_values) == {("other",): 4, ("AncienSoumission",): 1}


def test_field_names_are_capped(observer: FeedObserver) -> None:
    """An ERP that invents names makes a hundred series and no more."""
    for index in range(500):
        observer.unknown_field(f"Field_{index}")
    assert len(dict(observer.numbers.unknown_fields)) == 101
    assert observer.numbers.unknown_fields["other"] == 400


def test_restored_time_does_not_move_a_later_one_back(observer: FeedObserver, clock: HandClock) -> None:
    """The time of being caught up survives a restart and only grows."""
    observer.restored(None)
    assert observer.numbers.last_caught_up_at is None
    observer.restored(clock.now - 100)
    assert observer.numbers.last_caught_up_at == clock.now - 100
    observer.caught_up()
    observer.restored(clock.now - 50)
    assert observer.numbers.last_caught_up_at == clock.now


def test_empty_pull_leaves_nothing_pending(observer: FeedObserver) -> None:
    """Pending is unknown until a list came in, and 0 after an empty one."""
    assert observer.numbers.pending is None
    observer.pulled(0, 0.01)
    assert observer.numbers.pending == 0
    observer.pending(7, 12.0)
    assert observer.numbers.pending == 7
