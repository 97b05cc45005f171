"""The running program: from settings to one supervised task per feed, and back to nothing when told to stop.

Must not know what the parts do; `connector.composition` makes them.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from connector import __version__
from connector.composition import Composition, Hooks, plan_feeds, secrets_of, topic_plan
from connector.delivery import Delivery
from connector.errors import ConnectorError, SessionLost
from connector.kafka.topics import TopicReport, check_topics, missing_topics
from connector.model import Feed, State
from connector.ops.event_loop import sample_event_loop_lag
from connector.ops.logs import configure_logs, get_logger, log_uncaught_in_loop
from connector.ops.metrics import Metrics
from connector.ops.server import OpsServer, Probes
from connector.ops.status import Program, status_document
from connector.pacing import Backoff
from connector.settings import Settings

_LEAST_BEAT_SECONDS = 300.0
_BEAT_INTERVALS = 10
_ASK_AGAIN_SECONDS = 30.0
_SLICE_SHARE = 0.5
_LEAVE_SHARE = 0.4

log = get_logger("connector")


class App:
    """One process of the connector.

    Args:
        settings: what the user wants.
        hooks: what sandbox and tests put in another's place.

    Raises:
        ConfigurationWrong: a feed has no schema, or a schema is wrong.
    """

    def __init__(self, settings: Settings, hooks: Hooks | None = None) -> None:
        self._settings = settings
        self._hooks = hooks or Hooks()
        self._plans = plan_feeds(settings)
        self._metrics = Metrics(version=__version__)
        self._program = Program(settings.app, __version__, time.time())
        self._stop = asyncio.Event()
        self._is_ready = False
        self._ops_port: int | None = None

    @property
    def ops_port(self) -> int | None:
        """Where the operators' endpoint listens, None until it does."""
        return self._ops_port

    def stop(self) -> None:
        """Leave in good order; also what SIGTERM and SIGINT call."""
        self._stop.set()

    async def run(self) -> None:
        """Carry every feed until stopped.

        Raises:
            EnvironmentUnusable: a topic or a permission is missing at first contact.
            Exception: a feed's task crashed; the process has to leave.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.set_exception_handler(log_uncaught_in_loop)
        settings = self._settings
        configure_logs(settings.logs.level, settings.logs.format, secrets=secrets_of(settings))
        async with AsyncExitStack() as cleanup:
            composition = Composition(settings, self._plans, self._metrics, self._hooks)
            cleanup.push_async_callback(composition.close)
            server = OpsServer(self._metrics, self._probes(), host=settings.server.host, port=settings.server.port)
            await server.start()
            cleanup.push_async_callback(server.stop)
            self._ops_port = server.port
            log.info("started", app=settings.app, version=__version__, feeds=len(self._plans), ops_port=server.port)
            self._warn_of_unverified_sites()
            sampler = asyncio.create_task(sample_event_loop_lag(self._metrics.event_loop_lag))
            cleanup.callback(sampler.cancel)
            topics = await self._topics(composition)
            if topics is not None:
                await self._deliver(dict(composition.deliveries(topics)))
        log.info("stopped")

    async def _topics(self, composition: Composition) -> TopicReport | None:
        """What the topics are like, asked until Kafka answers; None when stopped meanwhile."""
        waits = Backoff(1.0, self._hooks.pace.get("retry_cap_seconds", _ASK_AGAIN_SECONDS))
        feeds = [plan.feed for plan in self._plans]
        while not self._stop.is_set():
            try:
                report = await self._unless_stopped(
                    check_topics(composition.connection, feeds, topic_plan(self._settings))
                )
            except SessionLost as error:
                for observer in composition.observers.values():
                    observer.state(State.BACKING_OFF, error.reason, error.message)  # Invariant 6
                    observer.beat()
                await self._pause(waits.next())
                continue
            if report is None:
                return None
            if report.missing:
                raise missing_topics(report.missing)
            for warning in report.warnings:
                log.warning("topic", what=warning)
            if report.created:
                log.info("topics created", topics=report.created)
            return report
        return None

    async def _unless_stopped(self, asking: Coroutine[Any, Any, TopicReport]) -> TopicReport | None:
        """What is asked for, or None as soon as the process is told to stop."""
        answer, stopping = asyncio.create_task(asking), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({answer, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return await answer if answer.done() else None
        finally:
            stopping.cancel()
            answer.cancel()

    async def _deliver(self, deliveries: dict[Feed, Delivery]) -> None:
        """Run the loops until stopped, or until one of them crashes."""
        tasks = {asyncio.create_task(delivery.run(), name=str(feed)) for feed, delivery in deliveries.items()}
        stopping = asyncio.create_task(self._stop.wait())
        self._is_ready = True
        try:
            done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_ready = False
            stopping.cancel()
        if stopping in done:
            log.info("stopping", reason="signal")
        ended = done - {stopping}
        await self._leave(deliveries, tasks)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if ended and not self._stop.is_set():
            names = ", ".join(sorted(task.get_name() for task in ended))
            raise ConnectorError("ended", f"{names}: the feed's task ended, and nobody had asked it to")

    async def _leave(self, deliveries: dict[Feed, Delivery], tasks: set[asyncio.Task[None]]) -> None:
        """Let slices in hand be finished, then cancel what is left; all within `stop_seconds`."""
        for delivery in deliveries.values():
            delivery.stop()
        _, late = await asyncio.wait(tasks, timeout=self._settings.stop_seconds * _SLICE_SHARE)
        for task in late:
            task.cancel()
        if late:
            _, stuck = await asyncio.wait(late, timeout=self._settings.stop_seconds * _LEAVE_SHARE)
            for task in stuck:
                log.error("feed did not stop in time", feed=task.get_name())

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _probes(self) -> Probes:
        sites = self._settings.sites.values()
        # An ERP may be silent for as long as its own setting says.
        longest = [max(_BEAT_INTERVALS * one.poll_interval_seconds, 2 * one.request_timeout_seconds) for one in sites]
        return Probes(
            is_ready=lambda: self._is_ready,
            status=lambda: status_document(
                self._program, [observer.numbers for observer in self._metrics.observers], time.time()
            ),
            beat_limit_seconds=max(_LEAST_BEAT_SECONDS, *longest),
        )

    def _warn_of_unverified_sites(self) -> None:
        for name, site in self._settings.sites.items():
            if not site.tls.verify:
                log.warning(
                    "TLS verification is off: whoever stands in between reads the API key and every record",
                    site=name,
                    setting=f"sites.{name}.tls.verify",
                )
