"""The demo's course: business hours, kills on the way, closing time, and the judgement.

Must not know how Kafka, connector and consumer were started.
"""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from connector.errors import Fatal
from connector.model import Feed, Point
from connector.sandbox.demo_business import Hours
from connector.sandbox.demo_children import Connector, Consumer
from connector.sandbox.demo_judge import Figures, Seen, judge
from connector.sandbox.demo_options import DemoOptions
from connector.sandbox.demo_screen import Screen
from connector.sandbox.demo_setup import configuration, places
from connector.sandbox.demo_status import Status
from connector.sandbox.documented import FEEDS
from connector.sandbox.notifications import CienappsSandbox
from connector.sandbox.serve import SandboxOptions, serving

_TICK_SECONDS = 0.05
_COUNTS_EVERY_SECONDS = 2.0
_START_SECONDS = 30.0
_NO_PROGRESS_SECONDS = 15.0
_LATECOMER_SECONDS = 0.5
_KILL_SECONDS = 5.0
_FIRST_KILL_SECONDS = 10.0
_BURST = 30
_SIMULATED = (
    "This was a simulated broker: it shows the flow and proves nothing about exactly once.",
    "On a real one: cien-connector demo --kafka apache",
)
_WORDS = {
    Point.BEFORE_COMMIT: "in the middle of a slice: records written, their transaction not committed",
    Point.AFTER_COMMIT: "between ack and confirm: records committed, the ERP not told",
    None: "between two slices",
}


class Stage:
    """Everything that runs, and what is seen of it.

    Args:
        options: what was asked for.
        feeds: the feeds, whose topics exist.
        servers: where Kafka is.
        connector: started, waiting for its configuration.
        consumer: started.
        screen: where it is shown.
        began: when the command began, in seconds of the monotonic clock.
    """

    def __init__(  # noqa: PLR0913  one argument per part
        self,
        options: DemoOptions,
        feeds: Sequence[Feed],
        servers: str,
        connector: Connector,
        consumer: Consumer,
        screen: Screen,
        began: float,
    ) -> None:
        self._options = options
        self._feeds = feeds
        self._servers = servers
        self._connector = connector
        self._consumer = consumer
        self._screen = screen
        self._began = began
        self._sandbox = CienappsSandbox(seed=options.seed)
        self._sandbox.create(options.backlog)
        self._hours: Hours | None = None
        self._seen = Seen({feed.topic: feed.name for feed in feeds})
        self._status = Status()
        self._is_to_die = False
        self._kills = 0
        self._next_counts = 0.0
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> int:
        """From the first change to the table; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told_to_stop)
        async with AsyncExitStack() as cleanup:
            served = await cleanup.enter_async_context(serving(SandboxOptions(), self._sandbox))
            cleanup.push_async_callback(self._status.close)
            self._connector.configure(configuration(self._feeds, served.base_url, self._servers))
            loop.add_reader(self._consumer.descriptor, self._read)
            cleanup.callback(loop.remove_reader, self._consumer.descriptor)
            following = asyncio.create_task(self._status.follow())
            cleanup.callback(following.cancel)
            await self._connector_runs()
            url = self._status.url or ""
            self._screen.header(places(self._options, self._feeds, served.base_url, self._servers, url))
            await self._business_hours()
            await self._settle()
            return await self._finish()

    async def _business_hours(self) -> None:
        """Changes at the asked rate until the time is over, with the kills on the way."""
        opened, asked = time.monotonic(), self._options.seconds
        self._hours = Hours(self._sandbox, self._options.rate, opened)
        self._next_counts = opened + _COUNTS_EVERY_SECONDS
        gap = min(_FIRST_KILL_SECONDS, (asked or 3 * _FIRST_KILL_SECONDS) / 3)
        kills = [opened + gap, opened + 2 * gap] if self._options.kill else []
        closes = None if asked is None else opened + asked
        while not self._stop.is_set() and (kills or closes is None or time.monotonic() < closes):
            await self._tick()
            if kills and time.monotonic() >= kills[0]:
                kills.pop(0)
                await self._kill()
        self._hours.close()

    async def _kill(self) -> None:
        """Kill the connector where it hurts, and start another."""
        await self._status.look()
        process, death = self._connector.pid, self._connector.death
        self._is_to_die = True
        self._connector.arm()
        self._sandbox.create(_BURST)
        if not await self._holds(lambda: self._connector.is_dead, _KILL_SECONDS):
            self._connector.kill()
            death = None
        self._kills += 1
        self._screen.say(f"kill -9 of the connector (process {process}) {_WORDS[death]}", "bold red")
        self._status.died()
        self._connector.start()
        self._is_to_die = False
        await self._connector_runs()
        line = f"the connector is back (process {self._connector.pid}): it fences the dead one and scans Kafka"
        self._screen.say(line, "bold red")

    async def _settle(self) -> None:
        """Wait until the ERP has nothing pending and the consumer has read it all, or nothing moves any more."""
        deadline, before = time.monotonic() + _NO_PROGRESS_SECONDS, (-1, -1)
        while not self._hurry.is_set() and time.monotonic() < deadline:
            await self._tick()
            pending, read = sum(len(self._sandbox.pending(name)) for name in FEEDS), len(self._seen.records)
            if not pending and read >= len(self._sandbox.truth()) and self._status.lag == 0:
                return
            if (pending, read) != before:
                deadline, before = time.monotonic() + _NO_PROGRESS_SECONDS, (pending, read)
        if not self._hurry.is_set():
            self._screen.say(f"nothing has moved for {_NO_PROGRESS_SECONDS:.0f} s: judged as it stands", "bold red")

    async def _finish(self) -> int:
        """Stop the connector, judge, and show the verdict."""
        await self._status.look()
        lag = self._status.lag
        self._is_to_die = True
        self._next_counts = math.inf
        code = await asyncio.to_thread(self._connector.stop)
        # A record that is doubled would come last.
        await self._holds(self._hurry.is_set, _LATECOMER_SECONDS)
        figures = judge(self._sandbox.truth(), self._seen, lag=lag)
        self._screen.table(figures)
        self._verdict(figures)
        if code != 0:
            self._screen.say(f"The connector did not stop in good order: it ended with {code}.", "bold red")
        self._screen.result(self._document(figures))
        return figures.exit_code or int(code != 0)

    def _verdict(self, figures: Figures) -> None:
        if self._kills:
            times = "once" if self._kills == 1 else f"{self._kills} times"
            self._screen.say(
                f"Killed {times}; {self._status.found_in_kafka} notifications were found in Kafka by the scan:"
                " confirmed, not published again."
            )
        for problem in figures.problems:
            self._screen.say(f"WRONG: {problem}", "bold red")
        if not figures.problems:
            self._screen.say("Every notification was published once, and confirmed.", "bold green")
        if self._options.is_simulated:
            for line in _SIMULATED:
                self._screen.say(line, "yellow")

    def _document(self, figures: Figures) -> dict[str, Any]:
        first = self._seen.first_at
        return asdict(figures) | {
            "kafka": self._options.engine,
            "simulated": self._options.is_simulated,
            "seconds": round(time.monotonic() - self._began, 1),
            "first_record_seconds": None if first is None else round(first - self._began, 2),
            "kills": self._kills,
            "found_in_kafka": self._status.found_in_kafka,
        }

    async def _connector_runs(self) -> None:
        if not await self._holds(lambda: self._status.url is not None, _START_SECONDS):
            message = f"the connector has not started within {_START_SECONDS:.0f} s: is the machine overloaded?"
            raise Fatal("demo_child_slow", message)

    async def _holds(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Go on until the condition holds, so many seconds at most; returns whether it does."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            await self._tick()
        return condition()

    async def _tick(self) -> None:
        """Everything that goes on all the time."""
        now = time.monotonic()
        if self._hours is not None:
            self._hours.go_on(now)
            if now >= self._next_counts:
                self._next_counts = now + _COUNTS_EVERY_SECONDS
                self._screen.counts(judge(self._sandbox.truth(), self._seen, lag=self._status.lag), now - self._began)
        for line in self._connector.lines():
            self._heed(line)
        if not self._is_to_die:
            self._connector.check()
        self._consumer.check()
        await asyncio.sleep(_TICK_SECONDS)

    def _heed(self, line: dict[str, Any]) -> None:
        """A line of the connector's log."""
        if line.get("event") == "started":
            self._status.runs_at(line["ops_port"])
        elif line.get("level") in {"warning", "error", "critical"}:
            words = [str(line.get("event"))]
            words += [f"{name}: {line[name]}" for name in ("feed", "what", "reason", "message", "why") if name in line]
            if (error := line.get("exception")) is not None:
                words.append(f"{error['type']}: {error['message']} at {(error['frames'] or ['?'])[-1]}")
            self._screen.say(f"connector: {'; '.join(words)}", "yellow")

    def _read(self) -> None:
        """What the consumer printed."""
        now = time.monotonic()
        for line in self._consumer.lines():
            if self._seen.first_at is None:
                self._screen.say(f"first record after {now - self._began:.1f} s", "bold")
            self._screen.record(self._seen.note(line, now), now - self._began)

    def _told_to_stop(self) -> None:
        """Close the business; told again, do not even wait until all is delivered."""
        if self._stop.is_set():
            self._hurry.set()
            return
        self._stop.set()
        self._screen.say("closing: waiting until all is delivered (Ctrl-C again: judged as it stands)", "bold")
