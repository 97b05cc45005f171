"""The loop over fakes of its seams: what it promises, killed at every named point."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from connector.delivery import Delivery
from connector.errors import Blocked, Fenced, Retriable, SessionLost
from connector.model import Point, State
from connector.pacing import Pace
from connector.parts import Parts
from tests.fakes.seams import FakeClock, FakeEncoder, FakeErp, FakeJournal, FakeKafka, FakePublisher, Killed, Recorder

PACE = Pace(poll_interval_seconds=5.0, slice_records=3)


class World:
    """An ERP, a Kafka, and one delivery between them."""

    def __init__(self, *, confirm: bool = True, pace: Pace = PACE) -> None:
        self.erp = FakeErp()
        self.kafka = FakeKafka()
        self.clock = FakeClock()
        self.encoder = FakeEncoder()
        self.observer = Recorder()
        self.confirm = confirm
        self.pace = pace

    def delivery(self, reached: Callable[[Point], None] = lambda _point: None) -> Delivery:
        parts = Parts(
            source=self.erp,
            encoder=self.encoder,
            publisher=FakePublisher(self.kafka, reached),
            journal=FakeJournal(self.kafka, reached, self.clock),
            observer=self.observer,  # type: ignore[arg-type]
        )
        return Delivery(parts, self.pace, self.clock, confirm=self.confirm, reached=reached)

    async def run(self, *, waits: int, reached: Callable[[Point], None] = lambda _point: None) -> None:
        """Run until the loop has waited so often."""
        delivery = self.delivery(reached)
        left = waits

        def count(_seconds: float) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                delivery.stop()

        self.clock.on_wait = count
        async with asyncio.timeout(10):
            await delivery.run()


def dies_at(point: Point, occurrence: int) -> Callable[[Point], None]:
    seen = 0

    def reached(at: Point) -> None:
        nonlocal seen
        seen += at is point
        if at is point and seen == occurrence:
            raise Killed

    return reached


async def test_pending_notifications_are_published_in_order_then_confirmed() -> None:
    """Everything listed is in Kafka once, in SyncID order, and the ERP has nothing left."""
    world = World()
    for sync_id in (4, 1, 3, 2, 7, 5, 6):
        world.erp.add(sync_id)
    await world.run(waits=1)
    assert [sync_id for sync_id, _ in world.kafka.pairs()] == [1, 2, 3, 4, 5, 6, 7]
    assert world.erp.pending == {}
    assert world.observer.states[-2][0] is State.CAUGHT_UP
    assert world.observer.last_pending == (0, None)


@pytest.mark.parametrize("point", list(Point))
@pytest.mark.parametrize("occurrence", [1, 2, 3])
async def test_killed_at_a_named_point_and_restarted(point: Point, occurrence: int) -> None:
    """Whatever the point, after a restart every notification is in Kafka once and nothing is pending."""
    world = World()
    for sync_id in range(1, 9):
        world.erp.add(sync_id)
    died = 0
    for _ in range(2):  # a point of the scan is reached only by a session that finds something
        try:
            await world.run(waits=4, reached=dies_at(point, occurrence))
        except Killed:
            died += 1
        world.erp.add(max(world.erp.pending, default=20) + 1)
    await world.run(waits=4)
    assert died or occurrence > 1
    assert sorted(sync_id for sync_id, _ in world.kafka.pairs()) == sorted(set(world.erp.history))
    assert len(world.kafka.pairs()) == len(set(world.kafka.pairs()))
    assert world.erp.pending == {}


async def test_nothing_is_confirmed_when_the_commit_fails() -> None:
    """A notification whose transaction was not acked is not confirmed (Invariant 1)."""
    world = World()
    world.erp.add(1)
    world.kafka.faults = [SessionLost("kafka_timeout", "publishing: TimeoutError")]
    confirmed_when_lost: list[list[int]] = []
    ended = world.observer.session_ended

    def session_ended(reason: str) -> None:
        confirmed_when_lost.append(list(world.erp.history))
        ended(reason)

    world.observer.session_ended = session_ended  # type: ignore[method-assign]
    await world.run(waits=2)
    assert ("session_ended", ("kafka_timeout",)) in world.observer.calls
    assert confirmed_when_lost[0] == []
    assert world.kafka.pairs() == [(1, b"{}")]


async def test_the_list_that_began_the_session_is_not_published() -> None:
    """What another instance published and confirmed before the scan is not published from an older list."""
    world = World()
    world.erp.add(1)

    def taken_by_another() -> None:
        if world.erp.pulls == 1:
            world.erp.pending.clear()

    world.erp.on_pull = taken_by_another
    await world.run(waits=1)
    assert world.kafka.pairs() == []


async def test_a_bad_notification_holds_its_feed() -> None:
    """What precedes it is delivered; it and everything after it is neither published nor confirmed (Invariant 2)."""
    world = World()
    for sync_id in (1, 2, 4, 5):
        world.erp.add(sync_id)
    world.erp.add(3, b"bad")
    await world.run(waits=2)
    assert [sync_id for sync_id, _ in world.kafka.pairs()] == [1, 2]
    assert sorted(world.erp.pending) == [3, 4, 5]
    assert (State.BLOCKED, "bad") in world.observer.states
    assert ("abandoned", ("bad", 3)) in world.observer.calls
    assert world.observer.last_pending[0] == 3


async def test_a_sync_id_with_two_contents_of_which_one_is_bad_is_not_confirmed() -> None:
    """Confirming takes every content of a SyncID away, so one that waits keeps the SyncID listed."""
    world = World()
    world.erp.add(1, b"first")
    world.erp.add(1, b"is bad")
    await world.run(waits=2)
    assert world.kafka.pairs() == [(1, b"first")]
    assert 1 in world.erp.pending


async def test_a_content_known_beyond_a_bad_notification_is_not_confirmed_with_its_unpublished_twin() -> None:
    """A SyncID after the bad one, of which one content is in Kafka and another is not, stays listed."""
    world = World(pace=Pace(poll_interval_seconds=5.0, slice_records=10))
    world.erp.add(2, b"first")
    world.erp.confirm_faults = [Retriable("timeout", "confirm timed out")] * 100
    await world.run(waits=1)
    world.erp.confirm_faults.clear()
    world.erp.add(1, b"bad")
    world.erp.add(2, b"second")
    await world.run(waits=2)
    assert 2 in world.erp.pending


async def test_a_record_larger_than_the_topic_takes_holds_its_feed() -> None:
    """A value over the publisher's limit is a bad notification, never a broken producer."""
    world = World()
    world.erp.add(1, b"x" * 1001)
    await world.run(waits=1)
    assert (State.BLOCKED, "too_large") in world.observer.states
    assert world.kafka.pairs() == []


async def test_a_stale_list_is_not_published_again() -> None:
    """A list that still shows what was confirmed is confirmed again and published never again."""
    world = World()
    world.erp.add(1)
    world.erp.stale = [(1, b"{}")]
    await world.run(waits=3)
    assert world.kafka.pairs() == [(1, b"{}")]


async def test_changed_content_of_one_sync_id_is_published_again() -> None:
    """Identity is the pair (SyncID, hash): another content is another notification."""
    world = World()
    world.erp.add(1, b"a")
    await world.run(waits=1)
    world.erp.add(1, b"b")
    await world.run(waits=1)
    assert world.kafka.pairs() == [(1, b"a"), (1, b"b")]


async def test_a_refused_confirm_waits_longer_each_time_and_blocks_visibly() -> None:
    """A read-only key publishes once and does not make us load the list in a loop."""
    world = World()
    world.erp.add(1)
    world.erp.confirm_faults = [Blocked("confirm_refused", "the API key may lack write permission")] * 1000
    await world.run(waits=12)
    assert world.kafka.pairs() == [(1, b"{}")]
    assert (State.BLOCKED, "confirm_refused") in world.observer.states
    assert world.erp.pulls <= 12
    assert world.observer.last_pending[0] == 1
    assert max(world.clock.waits) == pytest.approx(10.0)  # long waits go in steps, so that the feed keeps beating
    assert world.clock.time - 1_000_000 > 80


async def test_news_is_published_while_confirms_are_refused() -> None:
    """A key that may not confirm does not keep new notifications from Kafka."""
    world = World()
    world.erp.add(1)
    world.erp.confirm_faults = [Blocked("confirm_refused", "no")] * 1000
    world.erp.on_pull = lambda: world.erp.add(world.erp.pulls)
    await world.run(waits=3)
    assert len(set(world.kafka.pairs())) == len(world.kafka.pairs()) >= 3


async def test_errors_of_the_erp_back_off_inside_the_session() -> None:
    """Retry-After is honoured, and the session goes on: one fence for all of it."""
    world = World()
    world.erp.add(1)
    world.erp.on_pull = lambda: (
        world.erp.faults.append(Retriable("http_429", "too many", retry_after_seconds=42))
        if world.erp.pulls == 1
        else None
    )
    await world.run(waits=6)
    assert world.kafka.epoch == 1
    assert world.kafka.pairs() == [(1, b"{}")]
    assert (State.BACKING_OFF, "http_429") in world.observer.states
    assert sum(world.clock.waits) >= 42


async def test_a_fenced_session_stays_away_for_a_heartbeat() -> None:
    """Fenced by another instance: at least 15 s pass before this one fences again."""
    world = World()
    world.erp.add(1)
    world.kafka.faults = [Fenced("fenced", "another instance")]
    await world.run(waits=2)
    assert sum(world.clock.waits[:2]) >= 15
    assert (State.BACKING_OFF, "fenced") in world.observer.states


async def test_confirm_never_publishes_once_and_leaves_the_erp_untouched() -> None:
    """With `confirm: never` no confirm is called, nothing is published twice, and lag is 0."""
    world = World(confirm=False)
    world.erp.add(1)
    world.erp.add(2)
    await world.run(waits=4)
    assert world.erp.history == []
    assert len(world.kafka.pairs()) == 2
    assert world.observer.last_pending == (0, None)


async def test_late_sync_ids_are_published_late_and_counted() -> None:
    """A SyncID below what was published is delivered all the same, and shows in a counter."""
    world = World()
    world.erp.add(10)
    world.erp.on_pull = lambda: world.erp.add(3) if world.erp.pulls == 2 else None
    await world.run(waits=1)
    assert [sync_id for sync_id, _ in world.kafka.pairs()] == [10, 3]
    assert world.observer.counts["regressed"] == 1


async def test_every_pulled_notification_is_accounted_for() -> None:
    """Pulled is published + deduplicated + abandoned, whatever happened on the way."""
    world = World()
    for sync_id in range(1, 12):
        world.erp.add(sync_id)
    world.erp.add(9, b"bad")
    world.erp.stale = [(2, b"{}"), (2, b"{}")]
    world.kafka.faults = [SessionLost("kafka_timeout", "x")]
    await world.run(waits=8)
    counts = world.observer.counts
    assert counts["pulled"] == counts["published"] + counts["deduplicated"] + counts["abandoned"]


async def test_an_idle_feed_ends_its_session_and_holds_one_a_day() -> None:
    """No producer is held for a feed with nothing to publish, but offsets and ids are kept from expiring."""
    pace = Pace(poll_interval_seconds=600.0, idle_session_seconds=930.0, keep_alive_seconds=86_400.0)
    world = World(pace=pace)
    world.erp.add(1)
    await world.run(waits=60 * 24 * 7)  # a week in steps of ten seconds would be 60,480: this is a day and more
    ended = [call for call in world.observer.calls if call == ("session_ended", ("idle",))]
    assert len(ended) >= 1
    assert world.kafka.epoch <= 3


async def test_stop_finishes_the_slice_in_hand() -> None:
    """A stop during a publish lets the slice be acked and confirmed, and leaves the rest for later."""
    world = World()
    for sync_id in range(1, 8):
        world.erp.add(sync_id)
    delivery: Delivery | None = None

    def reached(point: Point) -> None:
        if point is Point.BEFORE_COMMIT and delivery is not None:
            delivery.stop()

    delivery = world.delivery(reached)
    await delivery.run()
    assert [sync_id for sync_id, _ in world.kafka.pairs()] == [1, 2, 3]
    assert sorted(world.erp.pending) == [4, 5, 6, 7]
    assert world.observer.states[-1] == (State.STOPPED, None)


async def test_a_confirm_that_keeps_failing_does_not_load_the_list_in_a_loop() -> None:
    """Failed by the ERP's errors, not by permission: the waits between the lists double all the same."""
    world = World()
    world.erp.add(1)
    world.erp.confirm_faults = [Retriable("http_5xx", "confirm failed")] * 1000
    await world.run(waits=40)
    assert world.erp.pulls <= 12
    assert world.clock.time - 1_000_000 > 200


async def test_a_list_that_is_never_told_is_not_asked_for_at_once_again() -> None:
    """With `confirm: never` and contents that differ each time, the interval is kept."""
    world = World(confirm=False)
    world.erp.add(1, b"first")
    world.erp.on_pull = lambda: world.erp.add(1, b"%d" % world.erp.pulls)
    await world.run(waits=5)
    assert world.erp.pulls == 5
    assert min(world.clock.waits) >= 5.0


@pytest.mark.parametrize("error", [Blocked("forbidden", "no"), Retriable("connect", "no answer")])
async def test_a_failed_confirm_and_an_empty_list_do_not_make_a_duplicate(error: Blocked | Retriable) -> None:
    """Confirms that fail, and the module off for an hour: what is listed again is known."""
    pace = Pace(poll_interval_seconds=10.0, slice_records=3, idle_session_seconds=1e9)
    world = World(pace=pace)
    world.erp.add(1)
    world.erp.confirm_faults = [error] * 1000

    def switch_the_module() -> None:
        if world.erp.pulls == 3:
            world.erp.hidden, world.erp.pending = world.erp.pending, {}
        if world.erp.pulls == 300:
            world.erp.pending = world.erp.hidden

    world.erp.on_pull = switch_the_module
    await world.run(waits=600)
    assert world.erp.pulls > 300
    assert world.kafka.pairs() == [(1, b"{}")]


async def test_a_long_business_key_counts_towards_the_size() -> None:
    """The key stands in two headers as well: what is too large with it holds the feed instead of a session."""
    world = World()
    world.encoder.business_key = "k" * 200
    world.erp.add(1)
    await world.run(waits=1)
    assert (State.BLOCKED, "too_large") in world.observer.states


async def test_a_confirm_without_effect_is_pending_in_the_end_and_never_caught_up() -> None:
    """The ERP accepts the confirm and lists the notification for ever: lag tells, once no list can be that stale."""
    world = World()
    world.erp.stale = [(1, b"{}")]
    await world.run(waits=400)
    assert world.observer.last_pending[0] == 1
    count, oldest = world.observer.last_pending
    assert (count, oldest) == (1, 1_000_000.0)
    caught_up = [name for name, _ in world.observer.calls if name == "caught_up"]
    assert 0 < len(caught_up) < 12
