"""Publisher and journal on a real Kafka: transactions, fencing, the scan, the watermark, what a small topic refuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from connector.errors import Blocked, Fenced, SessionLost
from connector.identity import content_hash
from connector.kafka.connection import KafkaConnection
from connector.kafka.headers import HeaderWriter
from connector.kafka.journal import JournalLimits, KafkaJournal
from connector.kafka.publisher import KafkaPublisher, PublisherLimits
from connector.model import Feed, Notification, Point, Record
from connector.sandbox.apache import ApacheKafka
from tests.brokers import Broker
from tests.conftest import MakeFeed
from tests.fakes.topics import add_partitions, create_topics
from tests.integration.conftest import Committed

pytestmark = pytest.mark.real_kafka


class Transactions:
    """Remembers how transactions went."""

    def __init__(self) -> None:
        self.results: list[str] = []

    def transaction(self, result: str, seconds: float) -> None:
        del seconds
        self.results.append(result)


def publisher(feed: Feed, connection: KafkaConnection, limits: PublisherLimits | None = None) -> KafkaPublisher:
    writer = HeaderWriter(feed, "test")
    return KafkaPublisher(feed, connection, writer, limits or PublisherLimits(), Transactions(), time.time)


def journal(feed: Feed, connection: KafkaConnection, *, stale_list_seconds: float = 900.0) -> KafkaJournal:
    limits = JournalLimits(stale_list_seconds=stale_list_seconds, mark_seconds=0.0)
    return KafkaJournal(feed, connection, "fingerprint", limits, time.time, time.monotonic)


def records(sync_ids: Sequence[int], size: int = 20) -> list[Record]:
    return [Record(n, content_hash(b"%d" % n), str(n % 7), b"%d:" % n + b"x" * size) for n in sync_ids]


def offered(of: Sequence[Record]) -> list[Notification]:
    return [Notification(record.sync_id, b"", record.content_hash) for record in of]


def values(found: Sequence[object]) -> list[bytes]:
    return [record.value for record in found]  # type: ignore[attr-defined]


async def test_what_is_published_is_there_once_in_order_and_found_by_the_scan(
    feed: Feed, connection: KafkaConnection, committed: Committed
) -> None:
    """A committed slice is read back by key in order within its partitions, and by the next session's scan."""
    made = records(range(1, 3001))
    first = publisher(feed, connection)
    try:
        partitions = await first.fence()
        offsets = await first.publish(made)
    finally:
        await first.discard()
    assert sum(count for _, count in offsets.values()) == 3000
    found = await committed(feed.topic, 3000)
    assert sorted(int(record.key) for record in found) == list(range(1, 3001))
    for partition in range(partitions[feed.topic]):
        keys = [int(record.key) for record in found if record.partition == partition]
        assert keys == sorted(keys)
    scanned = journal(feed, connection)
    try:
        assert await scanned.scan(partitions) == 3000
        known, todo = scanned.split(offered(records(range(2990, 3005))))
    finally:
        await scanned.close()
    assert [one.sync_id for one in known] == list(range(2990, 3001))
    assert [one.sync_id for one in todo] == list(range(3001, 3005))


async def test_a_fenced_instance_can_no_longer_commit(
    feed: Feed, connection: KafkaConnection, committed: Committed
) -> None:
    """After another instance fenced, publishing fails as Fenced and nothing of it is ever seen."""
    old, new = publisher(feed, connection), publisher(feed, connection)
    try:
        await old.fence()
        await old.publish(records([1]))
        await new.fence()
        with pytest.raises(Fenced):
            await old.publish(records([2]))
        await new.publish(records([3]))
    finally:
        await old.discard()
        await new.discard()
    assert {record.key for record in await committed(feed.topic, 2)} == {b"1", b"3"}


async def test_a_batch_that_the_topic_refuses_is_an_error_and_nothing_is_committed(
    topics: MakeFeed, connection: KafkaConnection, committed: Committed
) -> None:
    """A refused batch ends the session although the commit alone succeeds; later batches are smaller."""
    feed = await topics("small", max_message_bytes=20_000)
    limits = PublisherLimits(compression=None)
    made = records(range(400), size=1000)
    refused = publisher(feed, connection, limits)
    lost: list[str] = []
    published = False
    while not published:
        try:
            await refused.fence()
            await refused.publish(made)
            published = True
        except SessionLost as error:
            lost.append(error.reason)
            assert await committed(feed.topic) == []
        finally:
            await refused.discard()
    assert set(lost) == {"record_too_large"}
    assert sorted(int(record.key) for record in await committed(feed.topic, 400)) == list(range(400))


async def test_a_record_larger_than_a_batch_is_published(
    feed: Feed, connection: KafkaConnection, committed: Committed
) -> None:
    """One record may be larger than a batch is meant to be, as long as the topic takes it."""
    first = publisher(feed, connection)
    big = replace_value(records([1])[0], b"x" * 600_000)
    try:
        await first.fence()
        await first.publish([big, *records([2])])
    finally:
        await first.discard()
    assert sorted(len(value) for value in values(await committed(feed.topic, 2))) == [22, 600_000]


async def test_the_watermark_moves_when_confirmed_and_keeps_the_scan_short(
    feed: Feed, connection: KafkaConnection
) -> None:
    """What is confirmed for long enough is not scanned again; its metadata carries when the feed was caught up."""
    made = records(range(100))
    producer = publisher(feed, connection)
    first = journal(feed, connection, stale_list_seconds=0.0)
    try:
        partitions = await producer.fence()
        await first.scan(partitions)
        first.begin_listing()
        first.acked(made, await producer.publish(made), time.time())
        assert await first.mark(caught_up_at=None, force=True) >= 100
        first.confirmed([record.sync_id for record in made[:90]])
        await first.mark(caught_up_at=None, force=True)
    finally:
        await first.close()
    second = journal(feed, connection, stale_list_seconds=0.0)
    try:
        assert await second.scan(partitions) == 100  # ten of the slice are not confirmed: all of it is kept
        second.begin_listing()
        second.end_listing(None)
        assert await second.mark(caught_up_at=None, force=True) >= 100  # an empty list proves nothing
        second.begin_listing()
        second.end_listing(1000)
        assert await second.mark(caught_up_at=1_700_000_000.5, force=True) == 0
    finally:
        await second.close()
    third = journal(feed, connection)
    try:
        assert await third.scan(partitions) == 0
        assert third.caught_up_at == pytest.approx(1_700_000_000.5)
    finally:
        await third.close()
        await producer.discard()


async def test_somebody_elses_open_transaction_does_not_hide_our_records(
    feed: Feed, connection: KafkaConnection
) -> None:
    """The scan waits for the high watermark, not the last stable offset that a stranger holds back."""
    producer = publisher(feed, connection)
    stranger = publisher(replace(feed, app="stranger"), connection)
    scanned = journal(feed, connection)
    try:
        partitions = await producer.fence()
        await stranger.fence()
        open_transaction = stranger._producer
        assert open_transaction is not None
        await open_transaction.begin_transaction()
        await open_transaction.send_and_wait(feed.topic, b"theirs", key=b"1", partition=0)
        await producer.publish(records(range(50)))
        scan = asyncio.create_task(scanned.scan(partitions))
        done, _ = await asyncio.wait([scan], timeout=1.0)
        assert not done, "the scan ended below records that are committed"
        await open_transaction.abort_transaction()
        assert await scan == 50
    finally:
        await scanned.close()
        await producer.discard()
        await stranger.discard()


async def test_partitions_that_were_added_block_the_feed_until_accepted(
    feed: Feed, connection: KafkaConnection, kafka: Broker
) -> None:
    """Another number of partitions would send an order's later changes elsewhere: a person has to say so."""
    producer, first = publisher(feed, connection), journal(feed, connection)
    try:
        partitions = await producer.fence()
        await first.scan(partitions)
        await first.mark(caught_up_at=None, force=True)
    finally:
        await first.close()
        await producer.discard()
    await add_partitions(kafka.bootstrap_servers, feed.topic, 7)
    changed = {**partitions, feed.topic: 7}
    second = journal(feed, connection)
    try:
        with pytest.raises(Blocked, match=r"kafka\.accept_partitions: 7"):
            await second.scan(changed)
    finally:
        await second.close()
    accepting = JournalLimits(accepted_partitions=7)
    third = KafkaJournal(feed, connection, "fingerprint", accepting, time.time, time.monotonic)
    try:
        assert await third.scan(changed) == 0
    finally:
        await third.close()


async def test_a_broker_that_dies_during_the_scan_loses_the_session_and_nothing_else(
    broker_to_freeze: ApacheKafka,
) -> None:
    """What closing the consumer raises then must not end the feed's task in silence."""
    feed = Feed("dying", "s", "order", "cienapps", "s.order", "s.order.dead-letter")
    await create_topics(broker_to_freeze.bootstrap_servers, [feed.topic, feed.dead_letter_topic], partitions=4)
    connection = KafkaConnection(broker_to_freeze.bootstrap_servers)
    producer = publisher(feed, connection, PublisherLimits(compression=None))
    try:
        partitions = await producer.fence()
        for start in range(0, 12_000, 3000):
            await producer.publish(records(range(start, start + 3000), size=2000))
    finally:
        await producer.discard()

    def reached(point: Point) -> None:
        if point is Point.IN_SCAN and 1 in broker_to_freeze.pids:
            broker_to_freeze.kill(1)

    limits = JournalLimits(stalled_seconds=2.0)
    dying = KafkaJournal(feed, connection, "fingerprint", limits, time.time, time.monotonic, reached)

    async def session() -> None:
        try:
            await dying.scan(partitions)
        finally:
            await dying.close()

    ended = asyncio.create_task(session())
    await asyncio.wait([ended])
    assert not ended.cancelled()
    assert isinstance(ended.exception(), SessionLost)


async def test_discarding_against_a_frozen_broker_leaves_no_task_behind(broker_to_freeze: ApacheKafka) -> None:
    """stop() alone would wait for ever; discard is bounded and ends every task of the producer."""
    broker = broker_to_freeze
    feed = Feed("frozen", "s", "order", "cienapps", "s.order", "s.order.dead-letter")
    await create_topics(broker.bootstrap_servers, [feed.topic, feed.dead_letter_topic], partitions=2)
    connection = KafkaConnection(broker.bootstrap_servers)
    limits = PublisherLimits(slice_seconds=1.0)
    before = asyncio.all_tasks()
    frozen = publisher(feed, connection, limits)
    await frozen.fence()
    await frozen.publish(records([1]))
    broker.freeze(1)
    try:
        with pytest.raises(SessionLost):
            await frozen.publish(records([2]))
        async with asyncio.timeout(10):
            await frozen.discard()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
    finally:
        broker.thaw(1)


def replace_value(record: Record, value: bytes) -> Record:
    return Record(record.sync_id, record.content_hash, record.business_key, value)
