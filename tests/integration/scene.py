"""The whole program in one task of a test, between a sandbox ERP and a Kafka, seen as its operators see it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import structlog
import yaml
from aiokafka import ConsumerRecord
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from connector.app import App
from connector.composition import Hooks
from connector.model import State
from connector.sandbox.cienapps import CienappsSandbox
from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.serve import SandboxOptions, Served, serving_in_thread
from connector.settings import load_settings
from tests.brokers import Broker
from tests.chaos.judge import Verdict, judge
from tests.fakes.dump import dump, dump_until
from tests.fakes.topics import delete_topics

Standing = dict[str, Any]
"""One feed as /status tells it."""

TOKEN = "sandbox-token"
QUICK = {
    "blocked_retry_seconds": 0.1,
    "blocked_retry_cap_seconds": 0.2,
    "retry_cap_seconds": 0.2,
    "no_progress_cap_seconds": 0.2,
    "fenced_wait_seconds": 0.2,
}
_PREFIX = "cien_connector_"
_LOOK_SECONDS = 0.02
_DEADLINE_SECONDS = 20.0


class Scene:
    """One site, its topics, and the program that carries it.

    Args:
        kafka: the Kafka.
        folder: where the configuration goes.
        base_url: of the ERP.
        erp: the sandbox behind it.
        feeds: which feeds are carried.
    """

    def __init__(
        self, kafka: Broker, folder: Path, base_url: str, erp: CienappsSandbox, feeds: Sequence[str] = ("order",)
    ) -> None:
        self.kafka = kafka
        self.erp = erp
        self.site = f"s{secrets.token_hex(4)}"
        self.app = f"test-{self.site}"
        self.config = folder / f"{self.site}.yaml"
        self.settings: dict[str, Any] = {
            "app": self.app,
            "kafka": {"bootstrap_servers": kafka.bootstrap_servers},
            "sites": {
                self.site: {
                    "kind": "cienapps",
                    "base_url": base_url,
                    "token": TOKEN,
                    "poll_interval_seconds": 0.05,
                    "feeds": list(feeds),
                }
            },
            "server": {"port": 0},
            "logs": {"format": "json"},
        }
        if kafka.embedded is None:
            self.settings["kafka"]["create_topics"] = {
                "partitions": 2,
                "replication_factor": 1,
                "min_insync_replicas": 1,
            }
        else:
            kafka.embedded.create_topics(
                topic for feed in feeds for topic in (self.topic(feed), f"{self.topic(feed)}.dead-letter")
            )
        self.hooks = Hooks(pace=QUICK, mark_seconds=0.5, check_crcs=kafka.check_crcs)
        self._client: httpx.AsyncClient | None = None
        self._task: asyncio.Task[None] | None = None

    def topic(self, feed: str = "order") -> str:
        return f"{self.site}.{feed}"

    def pace(self, **figures: float) -> None:
        """Other figures of `Pace` than the quick ones."""
        self.hooks = replace(self.hooks, pace={**self.hooks.pace, **figures})

    def has(self, *faults: Fault | FaultKind) -> None:
        """Switch these faults of the ERP on, and all others off."""
        with self.erp.lock:
            self.erp.faults.replace([Fault(kind=one) if isinstance(one, FaultKind) else one for one in faults])

    def mend(self) -> None:
        """No faults any more."""
        self.has()

    def write_config(self) -> Path:
        self.config.write_text(yaml.safe_dump(self.settings))
        return self.config

    @asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        """The program carries the site while the block lasts; a crash of it fails the test."""
        app = App(load_settings([self.write_config()], {}), self.hooks)
        self._task = task = asyncio.create_task(app.run())
        try:
            await self._poll(_asked(lambda: app.ops_port is not None), _DEADLINE_SECONDS)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{app.ops_port}", trust_env=False) as self._client:
                yield app
        finally:
            self._client = None
            app.stop()
            await task

    async def page(self, path: str) -> httpx.Response:
        """What the operators' endpoint answers."""
        assert self._client is not None
        return await self._client.get(path)

    async def standing(self, feed: str = "order") -> Standing:
        """One feed as /status tells it."""
        feeds: list[Standing] = (await self.page("/status")).json()["feeds"]
        return next(one for one in feeds if one["feed"] == feed)

    async def metric(self, name: str, feed: str | None = "order", **labels: str) -> float | None:
        """One series of /metrics, None when there is none."""
        wanted = labels if feed is None else {**labels, "feed": feed}
        found = [one.value for one in await self.samples(name) if wanted.items() <= one.labels.items()]
        return found[0] if found else None

    async def samples(self, name: str) -> list[Sample]:
        """The series of one metric."""
        families = text_string_to_metric_families((await self.page("/metrics")).text)
        return [one for family in families for one in family.samples if one.name == _PREFIX + name]

    async def until(
        self, shows: Callable[[Standing], bool], feed: str = "order", seconds: float = _DEADLINE_SECONDS
    ) -> Standing:
        """One feed once /status tells what is waited for."""
        last: Standing = {}

        async def holds() -> bool:
            nonlocal last
            last = await self.standing(feed)
            return shows(last)

        try:
            await self._poll(holds, seconds)
        except TimeoutError as error:
            message = f"not within {seconds} s; /status tells {last}"
            raise TimeoutError(message) from error
        return last

    async def until_true(self, condition: Callable[[], bool], seconds: float = _DEADLINE_SECONDS) -> None:
        """Return once the condition holds."""
        await self._poll(_asked(condition), seconds)

    async def tells(self, state: State, reason: str, feed: str = "order", seconds: float = _DEADLINE_SECONDS) -> str:
        """Wait until /status and the state gauge tell this; the message that stands beside."""
        found = await self.until(lambda one: (one["state"], one["reason"]) == (state, reason), feed, seconds)
        gauge = await self.samples("feed_state")
        assert [one.labels["state"] for one in gauge if one.value and one.labels["feed"] == feed] == [state]
        assert found["message"]
        return str(found["message"])

    async def delivered(self, *feeds: str, seconds: float = _DEADLINE_SECONDS) -> None:
        """Wait until nothing is pending in the ERP and the feeds say that they are caught up."""
        for feed in feeds or ("order",):
            await self.until(
                lambda one: one["state"] == "caught_up" and not self.erp.pending(one["feed"]), feed, seconds
            )

    async def records(self, feed: str = "order", at_least: int = 0) -> list[ConsumerRecord[bytes, bytes]]:
        """What a committed reader sees, once it sees so many."""
        servers, embedded = self.kafka.bootstrap_servers, not self.kafka.real
        if at_least:
            return await dump_until(servers, self.topic(feed), at_least, embedded=embedded)
        return await dump(servers, self.topic(feed), embedded=embedded)

    async def verdict(self, feed: str = "order") -> Verdict:
        """The truth against what a committed reader sees."""
        truth = [one for one in self.erp.truth() if one.feed == feed and one.sync_id >= 0]
        return judge(truth, await self.records(feed, len(truth)))

    async def is_clean(self, *feeds: str, notifications: int | None = None) -> None:
        """Assert that nothing is lost, doubled, out of order or pending."""
        verdicts = [await self.verdict(feed) for feed in feeds or ("order",)]
        assert all(verdict.is_clean for verdict in verdicts), verdicts
        if notifications is not None:
            assert sum(verdict.notifications for verdict in verdicts) == notifications

    async def _poll(self, holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Return once it holds; what the program crashed with meanwhile is raised here."""
        task = self._task
        assert task is not None
        async with asyncio.timeout(seconds):
            while not await holds():
                if task.done():
                    task.result()
                    message = "the program ended by itself"
                    raise AssertionError(message)
                await asyncio.sleep(_LOOK_SECONDS)


def _asked(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return condition()

    return holds


@contextmanager
def scene(
    kafka: Broker,
    folder: Path,
    *,
    feeds: Sequence[str] = ("order",),
    served: Served | None = None,
    options: SandboxOptions | None = None,
    site: Mapping[str, Any] | None = None,
) -> Iterator[Scene]:
    """A scene whose program is not running yet.

    Args:
        kafka: the Kafka.
        folder: where the configuration goes.
        feeds: which feeds are carried.
        served: the ERP; by default one of the scene's own.
        options: how its own ERP is served.
        site: settings of the site over the usual ones.
    """
    own = nullcontext(served) if served else serving_in_thread(options or SandboxOptions())
    with _logs_as_before(), own as erp:
        made = Scene(kafka, folder, erp.base_url, erp.sandbox, feeds)
        made.settings["sites"][made.site] |= site or {}
        try:
            yield made
        finally:
            # The other engines are thrown away as a whole.
            if kafka.engine == "given":
                names = [topic for feed in feeds for topic in (made.topic(feed), f"{made.topic(feed)}.dead-letter")]
                with ThreadPoolExecutor(1) as beside_the_running_loop:
                    beside_the_running_loop.submit(asyncio.run, delete_topics(kafka.bootstrap_servers, names)).result()


@contextmanager
def _logs_as_before() -> Iterator[None]:
    """The program configures the process's logs: give them back."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook
    try:
        yield
    finally:
        root.handlers[:], level, logging.raiseExceptions, sys.excepthook, threading.excepthook = before
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
