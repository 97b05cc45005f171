"""Kafka that is not there, goes away, or belongs to somebody else: the feed waits for all to see, and recovers."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connector.model import State
from connector.pacing import Pace
from connector.sandbox.apache import ApacheKafka
from tests.brokers import Broker
from tests.chaos.stage import until
from tests.fakes.processes import spawn_python, wait_for_line
from tests.fakes.topics import create_topics
from tests.integration.scene import Scene, scene

pytestmark = pytest.mark.real_kafka


@pytest.fixture(scope="module")
def own(tell: Callable[[str], None]) -> Iterator[ApacheKafka]:
    """A broker of the module's own, to kill."""
    with ApacheKafka(tell=tell) as cluster:
        yield cluster


@pytest.fixture
def on_own(own: ApacheKafka, tmp_path: Path) -> Iterator[Scene]:
    """One feed on the broker to kill."""
    with scene(Broker(own.bootstrap_servers, "apache"), tmp_path) as made:
        yield made
    own.mend()


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """One feed."""
    with scene(kafka, tmp_path) as made:
        yield made


async def test_kafka_is_down_at_the_start(on_own: Scene, own: ApacheKafka) -> None:
    """The program stays up and alive, is not ready, says why, and delivers when Kafka comes."""
    here = on_own
    here.erp.create(5, "order")
    await asyncio.to_thread(own.kill, 1)
    async with here.running():
        message = await here.tells(State.BACKING_OFF, "kafka_unreachable")
        assert "checking topics" in message
        assert (await here.page("/livez")).status_code == 200
        assert (await here.page("/readyz")).status_code == 503
        assert here.erp.counts.list_requests.total() == 0
        await asyncio.to_thread(own.restart, 1)
        await here.delivered()
        assert (await here.page("/readyz")).status_code == 200
    await here.is_clean(notifications=5)


async def test_kafka_goes_away_between_sessions(on_own: Scene, own: ApacheKafka) -> None:
    """A session that cannot begin backs off and says so, the lag grows, and it begins when Kafka is back."""
    here = on_own
    async with here.running():
        await here.delivered()
        await asyncio.to_thread(own.kill, 1)
        here.erp.create(5, "order")
        assert "fencing" in await here.tells(State.BACKING_OFF, "kafka_unreachable")
        await here.until(lambda one: one["lag_seconds"] > 0.5)
        await asyncio.to_thread(own.restart, 1)
        await here.delivered()
    await here.is_clean(notifications=5)


async def test_brokers_are_killed_under_load(three_brokers: ApacheKafka, tmp_path: Path) -> None:
    """Two of three killed in the middle of a backlog: lag and pending show it; nothing is lost, doubled, disordered.

    Three, because a single broker killed within the moment between a commit and its markers may forget them
    (docs/assumptions.md, "Known holes").
    """
    with scene(Broker(three_brokers.bootstrap_servers, "apache"), tmp_path) as here:
        here.settings["kafka"]["create_topics"] |= {"replication_factor": 3, "min_insync_replicas": 2}
        here.pace(slice_records=100)
        here.erp.create(4000, "order")
        async with here.running():
            await here.until(lambda one: one["counts"]["published"] > 500)
            await asyncio.to_thread(three_brokers.kill, 1)
            await asyncio.to_thread(three_brokers.kill, 2)
            found = await here.until(lambda one: one["lag_seconds"] > 1)
            assert found["pending"] > 0
            assert (await here.page("/livez")).status_code == 200
            await asyncio.to_thread(three_brokers.restart, 1)
            await asyncio.to_thread(three_brokers.restart, 2)
            await here.delivered()
        await here.is_clean(notifications=4000)


async def test_another_instance_takes_over(here: Scene) -> None:
    """The one fenced says which setting must differ, stays away for a while, and then goes on."""
    here.pace(fenced_wait_seconds=1.0)
    assert Pace(poll_interval_seconds=5).fenced_wait_seconds >= 15
    here.erp.create(5, "order")
    async with here.running():
        await here.delivered()
        other = AIOKafkaProducer(
            bootstrap_servers=here.kafka.bootstrap_servers, transactional_id=f"{here.app}.{here.site}.order"
        )
        await other.start()
        here.erp.create(5, "order")
        message = await here.tells(State.BACKING_OFF, "fenced")
        begun = asyncio.get_running_loop().time()
        assert "must differ in `app`" in message
        await other.stop()
        await here.delivered()
        assert asyncio.get_running_loop().time() - begun > 0.5
        assert await here.metric("sessions_total", reason="fenced") == 1
    await here.is_clean(notifications=10)


async def test_two_instances_of_one_app(here: Scene) -> None:
    """They fence one another again and again, and every notification is still there once."""
    twin = copy.copy(here)
    twin.config = here.config.with_suffix(".twin.yaml")
    here.pace(slice_records=10)
    async with here.running(), twin.running():
        for _ in range(5):
            here.erp.create(40, "order")
            await here.until_true(lambda: not here.erp.pending("order"))
        fenced = [await one.metric("sessions_total", reason="fenced") or 0 for one in (here, twin)]
        assert sum(fenced) > 0
    await here.is_clean(notifications=200)


async def test_a_record_larger_than_the_topic_takes(here: Scene) -> None:
    """Its feed is held before it, and the message says what to raise; raised, it goes on after a restart."""
    names = [here.topic(), f"{here.topic()}.dead-letter"]
    await create_topics(here.kafka.bootstrap_servers, names, max_message_bytes=20_000)
    here.erp.create(3, "order")
    here.erp.add("order", {"Order_Number": 8812, "Order_Title": "LONG " * 10_000})
    here.erp.create(3, "order")
    async with here.running():
        message = await here.tells(State.BLOCKED, "too_large")
        assert "SyncID 4" in message
        assert "max.message.bytes" in message
        assert "restart" in message
        await here.until(lambda one: one["pending"] == 4)
        assert await here.metric("records_abandoned_total", reason="too_large") != 0
    admin = AIOKafkaAdminClient(bootstrap_servers=here.kafka.bootstrap_servers)
    await admin.start()
    raised = {"max.message.bytes": "200000"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, here.topic(), configs=raised)])
    await admin.close()
    async with here.running():
        await here.delivered()
    await here.is_clean(notifications=7)


async def test_topics_are_created_as_asked(here: Scene) -> None:
    """With the partitions, copies and retention of the settings, and a dead-letter topic for large records."""
    here.settings["kafka"]["create_topics"] |= {"partitions": 3, "retention_days": 10}
    async with here.running():
        await here.delivered()
    names = [here.topic(), f"{here.topic()}.dead-letter"]
    admin = AIOKafkaAdminClient(bootstrap_servers=here.kafka.bootstrap_servers)
    await admin.start()
    described = await admin.describe_topics(names)
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == dict.fromkeys(names, 3)
    found = {
        topic: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _, _, _, topic, entries in answer.resources
    }
    for name in names:
        assert found[name]["retention.ms"] == str(10 * 86_400_000)
        assert found[name]["min.insync.replicas"] == "1"
        assert found[name]["cleanup.policy"] == "delete"
        assert found[name]["unclean.leader.election.enable"] == "false"
    assert found[names[1]]["max.message.bytes"] == str(8 * 1024 * 1024)


def pending_at(ops_port: int) -> int:
    status = httpx.get(f"http://127.0.0.1:{ops_port}/status", trust_env=False).json()
    return int(status["feeds"][0]["pending"] or 0)


async def test_sigterm_while_kafka_is_frozen(on_own: Scene, own: ApacheKafka) -> None:
    """A slice that Kafka does not answer for is given up within `stop_seconds`, and carried after the next start."""
    here = on_own
    here.settings["stop_seconds"] = 8
    log = here.config.with_suffix(".log")
    with spawn_python(["-m", "connector", "run", "--config", here.write_config()], log=log) as child:
        here.erp.create(5, "order")
        await asyncio.to_thread(until, lambda: not here.erp.pending("order"), 20)
        own.freeze(1)
        here.erp.create(5, "order")
        port = json.loads(wait_for_line(child, '"started"'))["ops_port"]
        await asyncio.to_thread(until, lambda: pending_at(port) == 5, 20)
        begun = time.monotonic()
        child.terminate()
        assert await asyncio.to_thread(child.wait, 20) == 0
        assert time.monotonic() - begun < 8
    own.thaw(1)
    async with here.running():
        await here.delivered()
    await here.is_clean(notifications=10)
