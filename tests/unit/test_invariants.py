"""The invariants over fakes of the seams: the real loop keeps them, each broken loop is caught breaking one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.delivery import Delivery
from connector.errors import Blocked, Retriable, SessionLost
from connector.model import Point, Record
from connector.pacing import Pace
from connector.parts import Parts
from tests.chaos.broken import ConfirmBeforeCommit, WithoutScan
from tests.fakes.seams import FakeClock, FakeEncoder, FakeErp, FakeJournal, FakeKafka, FakePublisher, Killed, Recorder

PACE = Pace(poll_interval_seconds=5.0, slice_records=3)
TURNS = 6


@dataclass(frozen=True)
class Night:
    """What happens to a feed: what is created, and how each of the processes that carry it ends."""

    created: list[list[tuple[int, bytes]]]
    ends: list[tuple[Point, int] | None]
    erp_faults: list[Exception]
    kafka_faults: list[Exception]


sync_ids = st.integers(min_value=1, max_value=12)
saved = st.lists(st.tuples(sync_ids, st.sampled_from([b"a", b"b"])), max_size=5)
ends = st.one_of(st.none(), st.tuples(st.sampled_from(list(Point)), st.integers(1, 5)))
erp_faults = st.lists(
    st.sampled_from([Retriable("timeout", "x"), Blocked("forbidden", "x"), Retriable("http_5xx", "x")]), max_size=4
)
kafka_faults = st.lists(st.just(SessionLost("kafka_timeout", "x")), max_size=2)
nights = st.builds(Night, st.lists(saved, min_size=1, max_size=5), st.lists(ends, max_size=4), erp_faults, kafka_faults)


class CheckedErp(FakeErp):
    """Notes what was confirmed before Kafka had it."""

    def __init__(self, kafka: FakeKafka) -> None:
        super().__init__()
        self._kafka = kafka
        self.shown: list[tuple[int, bytes]] = []
        self.confirmed_early: list[int] = []

    async def confirm(self, sync_ids: Sequence[int]) -> None:
        committed = set(self._kafka.pairs())
        self.confirmed_early += [
            sync_id for sync_id in sync_ids for raw in self.pending.get(sync_id, []) if (sync_id, raw) not in committed
        ]
        await super().confirm(sync_ids)


async def live_through(night: Night, loop: type[Delivery]) -> Mapping[str, object]:
    """The night, then a quiet morning with one process; what is wrong afterwards."""
    kafka = FakeKafka(faults=list(night.kafka_faults))
    erp = CheckedErp(kafka)
    clock = FakeClock()
    erp.faults = list(night.erp_faults)
    erp.confirm_faults = list(reversed(night.erp_faults))
    created = list(night.created)
    everything: set[tuple[int, bytes]] = set()

    def save_more() -> None:
        for sync_id, raw in created.pop(0) if created else []:
            # Content that changes between our list and our confirm is a hole the ERP's protocol leaves open.
            if sync_id not in erp.pending and (sync_id, raw) not in everything:
                erp.add(sync_id, raw)
                everything.add((sync_id, raw))

    for end in [*night.ends, None]:
        save_more()
        await _one_process(_delivery(loop, erp, kafka, clock, _dying(end)), clock, save_more, TURNS)
    erp.faults.clear()
    erp.confirm_faults.clear()
    kafka.faults.clear()
    while created:
        save_more()
    await _one_process(_delivery(loop, erp, kafka, clock, _dying(None)), clock, save_more, TURNS)
    return _what_is_wrong(everything, erp, kafka.committed)


async def _one_process(delivery: Delivery, clock: FakeClock, save_more: Callable[[], None], turns: int) -> None:
    """Run until it dies, or has waited so often and is stopped."""
    left = turns

    def count(_seconds: float) -> None:
        nonlocal left
        left -= 1
        save_more()
        if left <= 0:
            delivery.stop()

    clock.on_wait = count
    with suppress(Killed):
        async with asyncio.timeout(10):
            await delivery.run()


def _dying(end: tuple[Point, int] | None) -> Callable[[Point], None]:
    seen: list[Point] = []

    def reached(point: Point) -> None:
        seen.append(point)
        if end is not None and point is end[0] and seen.count(point) == end[1]:
            raise Killed

    return reached


def _delivery(
    loop: type[Delivery], erp: FakeErp, kafka: FakeKafka, clock: FakeClock, reached: Callable[[Point], None]
) -> Delivery:
    parts = Parts(
        source=erp,
        encoder=FakeEncoder(),
        publisher=FakePublisher(kafka, reached),
        journal=FakeJournal(kafka, reached, clock),
        observer=Recorder(),  # type: ignore[arg-type]
    )
    return loop(parts, PACE, clock, reached=reached)


def _what_is_wrong(
    everything: set[tuple[int, bytes]], erp: CheckedErp, committed: Sequence[Record]
) -> Mapping[str, object]:
    pairs = [(record.sync_id, record.value) for record in committed]
    return {
        "lost": everything - set(pairs),
        "doubled": [pair for pair in set(pairs) if pairs.count(pair) > 1],
        "confirmed early": erp.confirmed_early,
        "pending": erp.pending,
    }


@given(nights)
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_doubled_or_confirmed_early_whatever_the_night(night: Night) -> None:
    """Killed anywhere, faults of the ERP and of Kafka: afterwards all is in Kafka once, nothing pending."""
    wrong = asyncio.run(live_through(night, Delivery))
    assert not any(wrong.values()), wrong


KILLED_IN_COMMIT = Night([[(1, b"a"), (2, b"a")]], [(Point.AFTER_COMMIT, 1)], [], [])
KILLED_BEFORE_COMMIT = Night([[(1, b"a"), (2, b"a")]], [(Point.BEFORE_COMMIT, 1)], [], [])


@pytest.mark.parametrize("night", [KILLED_IN_COMMIT, KILLED_BEFORE_COMMIT])
def test_the_real_loop_survives_the_nights_that_break_the_others(night: Night) -> None:
    """The nights below are survivable: what follows is the broken loops' own doing."""
    assert not any(asyncio.run(live_through(night, Delivery)).values())


def test_a_loop_without_the_scan_doubles() -> None:
    """Killed after the commit, a loop that does not scan publishes again (Invariant 4)."""
    wrong = asyncio.run(live_through(KILLED_IN_COMMIT, WithoutScan))
    assert wrong["doubled"]


def test_a_loop_that_confirms_before_the_commit_loses() -> None:
    """Killed before the commit, a loop that confirmed already has lost the notifications (Invariant 1)."""
    wrong = asyncio.run(live_through(KILLED_BEFORE_COMMIT, ConfirmBeforeCommit))
    assert wrong["lost"]
    assert wrong["confirmed early"]
