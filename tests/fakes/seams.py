"""Real implementations, in memory, of the seams around the loop: an ERP that forgets what is confirmed, and a Kafka.

They keep the promises the real ones keep and no more: a transaction is atomic, fencing ends older transactions, a
confirm is destructive, and every call may be the last one before the process dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.errors import BadNotification, Fenced
from connector.identity import content_hash
from connector.kafka.published import Published
from connector.kafka.published_slice import short_hash
from connector.model import Notification, Point, Record, State

TOPIC = "test.order"


class Killed(BaseException):
    """The process died here; like kill -9, nothing may catch it."""


@dataclass
class FakeErp:
    """A list of pending notifications that forgets what is confirmed; confirmed ones go to the history."""

    pending: dict[int, list[bytes]] = field(default_factory=dict)
    hidden: dict[int, list[bytes]] = field(default_factory=dict)
    history: list[int] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    confirm_faults: list[Exception] = field(default_factory=list)
    stale: list[tuple[int, bytes]] = field(default_factory=list)
    on_pull: Callable[[], None] = lambda: None
    pulls: int = 0
    fingerprint: str = "fake"

    def add(self, sync_id: int, content: bytes = b"{}") -> None:
        """The ERP saves a record."""
        self.pending.setdefault(sync_id, []).append(content)

    def listed(self) -> list[Notification]:
        """What the list shows now: pending ones, and stale ones that were confirmed before."""
        shown = [(sync_id, raw) for sync_id, raws in self.pending.items() for raw in raws]
        return [Notification(sync_id, raw, content_hash(raw)) for sync_id, raw in sorted([*shown, *self.stale])]

    async def offers(self) -> bool:
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop(0)
        return bool(self.listed())

    async def pull(self) -> FakeListing:
        await asyncio.sleep(0)
        self.pulls += 1
        self.on_pull()
        if self.faults:
            raise self.faults.pop(0)
        return FakeListing(self.listed())

    async def confirm(self, sync_ids: Sequence[int]) -> None:
        await asyncio.sleep(0)
        if self.confirm_faults:
            raise self.confirm_faults.pop(0)
        for sync_id in sync_ids:
            self.pending.pop(sync_id, None)
            self.history.append(sync_id)


@dataclass
class FakeListing:
    """A complete list, already in order."""

    notifications: list[Notification]

    @property
    def count(self) -> int:
        return len(self.notifications)

    @property
    def highest(self) -> int | None:
        return max((notification.sync_id for notification in self.notifications), default=None)

    def slices(self, max_records: int, max_bytes: int) -> Iterator[list[Notification]]:
        del max_bytes
        portion: list[Notification] = []
        for notification in self.notifications:
            if len(portion) >= max_records and portion[-1].sync_id != notification.sync_id:
                yield portion
                portion = []
            portion.append(notification)
        if portion:
            yield portion

    def close(self) -> None:
        self.notifications = []


class FakeEncoder:
    """The record is the raw bytes; a notification whose bytes say "bad" cannot be one."""

    content_type = "test"
    business_key: str | None = None

    def encode(self, notification: Notification) -> Record:
        if b"bad" in notification.raw:
            raise BadNotification("bad", f"SyncID {notification.sync_id} is bad", sync_id=notification.sync_id)
        key = self.business_key or str(notification.sync_id % 3)
        return Record(notification.sync_id, notification.content_hash, key, notification.raw)


@dataclass
class FakeKafka:
    """One partition: committed records, the open transaction of each epoch, the current epoch."""

    committed: list[Record] = field(default_factory=list)
    epoch: int = 0
    staged: dict[int, list[Record]] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    caught_up_at: float | None = None

    def pairs(self) -> list[tuple[int, bytes]]:
        """What a read_committed consumer sees."""
        return [(record.sync_id, record.value) for record in self.committed]


class FakePublisher:
    """A producer of FakeKafka; passes the named points as the real one does."""

    max_value_bytes = 1000

    def __init__(self, kafka: FakeKafka, reached: Callable[[Point], None]) -> None:
        self._kafka = kafka
        self._reached = reached
        self._epoch = 0

    async def fence(self) -> Mapping[str, int]:
        await asyncio.sleep(0)
        self._kafka.epoch += 1
        self._epoch = self._kafka.epoch
        self._kafka.staged.clear()
        return {TOPIC: 1}

    async def publish(self, records: Sequence[Record]) -> Mapping[tuple[str, int], tuple[int, int]]:
        self._reached(Point.BEFORE_PRODUCE)
        for index, record in enumerate(records):
            if index:
                self._reached(Point.BETWEEN_BATCHES)
            await asyncio.sleep(0)
            self._check_epoch()
            self._kafka.staged.setdefault(self._epoch, []).append(record)
        self._reached(Point.BEFORE_COMMIT)
        if self._kafka.faults:
            raise self._kafka.faults.pop(0)
        return await self._commit()

    async def _commit(self) -> Mapping[tuple[str, int], tuple[int, int]]:
        await asyncio.sleep(0)
        self._check_epoch()
        first = len(self._kafka.committed)
        records = self._kafka.staged.pop(self._epoch, [])
        self._kafka.committed += records
        self._reached(Point.DURING_COMMIT)  # decided, not yet answered
        self._reached(Point.AFTER_COMMIT)
        return {(TOPIC, 0): (first, len(records))}

    def _check_epoch(self) -> None:
        if self._epoch != self._kafka.epoch:
            raise Fenced("fenced", "another instance")

    async def discard(self) -> None:
        self._epoch = -1


class FakeJournal:
    """The journal's real memory over FakeKafka; its watermark never moves."""

    def __init__(self, kafka: FakeKafka, reached: Callable[[Point], None], clock: FakeClock) -> None:
        self._kafka = kafka
        self._reached = reached
        self._clock = clock
        self._published = Published()
        self.caught_up_at = kafka.caught_up_at

    @property
    def highest(self) -> int | None:
        return self._published.highest

    async def scan(self, partitions: Mapping[str, int]) -> int:
        del partitions
        self._published = Published()
        for offset, record in enumerate(self._kafka.committed):
            await asyncio.sleep(0)
            self._reached(Point.IN_SCAN)
            pair = (record.sync_id, short_hash(record.content_hash))
            self._published.add([pair], {(TOPIC, 0): offset}, self._clock.now(), shown=False)
        return len(self._kafka.committed)

    def begin_listing(self) -> None:
        self._published.begin_listing()

    def split(self, offered: Sequence[Notification]) -> tuple[list[Notification], list[Notification]]:
        return self._published.split(offered, self._clock.monotonic())

    def acked(
        self, records: Sequence[Record], offsets: Mapping[tuple[str, int], tuple[int, int]], first_seen: float
    ) -> None:
        pairs = [(record.sync_id, short_hash(record.content_hash)) for record in records]
        self._published.add(pairs, {place: first for place, (first, _) in offsets.items()}, first_seen, shown=True)

    def confirmed(self, sync_ids: Sequence[int]) -> int:
        return self._published.confirmed(sync_ids, self._clock.monotonic())

    def perhaps_confirmed(self, sync_ids: Sequence[int]) -> None:
        self._published.perhaps_confirmed(sync_ids)

    def end_listing(self, highest: int | None) -> None:
        self._published.end_listing(highest, self._clock.monotonic())

    def pending(self) -> tuple[int, float | None]:
        return self._published.pending(self._clock.monotonic(), 900.0)

    async def mark(self, *, caught_up_at: float | None, force: bool = False) -> int:
        del force
        self._kafka.caught_up_at = caught_up_at or self._kafka.caught_up_at
        self._published.forget_settled(self._clock.monotonic() - 900.0)
        self._reached(Point.AFTER_MARK)
        return 0

    async def close(self) -> None:
        self._published = Published()


class FakeClock:
    """Time that moves only when somebody waits; `on_wait` lets a test end the run."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.waits: list[float] = []
        self.on_wait: Callable[[float], None] = lambda _seconds: None

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def wait(self, stop: asyncio.Event, seconds: float) -> None:
        del stop
        self.time += seconds
        self.waits.append(seconds)
        self.on_wait(seconds)
        await asyncio.sleep(0)


class Recorder:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.states: list[tuple[State, str | None]] = []
        self.counts: dict[str, int] = {}
        self.last_pending: tuple[int, float | None] = (0, None)

    def state(self, state: State, reason: str | None = None, message: str | None = None) -> None:
        del message
        self.states.append((state, reason))

    def pending(self, count: int, oldest_first_seen: float | None) -> None:
        self.last_pending = (count, oldest_first_seen)

    def abandoned(self, reason: str, count: int) -> None:
        self.calls.append(("abandoned", (reason, count)))
        self._count("abandoned", count)

    def pulled(self, count: int, seconds: float) -> None:
        del seconds
        self._count("pulled", count)

    def published(self, count: int, seconds_since_pull: float) -> None:
        del seconds_since_pull
        self._count("published", count)

    def deduplicated(self, count: int) -> None:
        self._count("deduplicated", count)

    def confirmed(self, count: int) -> None:
        self._count("confirmed", count)

    def regressed(self, count: int) -> None:
        self._count("regressed", count)

    def session_ended(self, reason: str) -> None:
        self.calls.append(("session_ended", (reason,)))

    def _count(self, name: str, count: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + count

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, arguments))
