"""Programs that are measured from outside: started, watched while they drain an ERP into a topic, asked to leave.

Must not know what is compared. The figures come from the operating system: its account of a process's CPU time, and
Linux's /proc for memory.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.erp import FEED, Erp, erp
from connector.kafka.connection import KafkaConnection
from connector.kafka.topics import TopicPlan, check_topics
from connector.model import Feed

PARTITIONS = 6
_LOOK_SECONDS = 0.05
_LEAVES_WITHIN_SECONDS = 40.0
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Drain:
    """What one drain took."""

    records: int
    """How many the topic holds afterwards, as a committed reader sees them; none of them twice."""
    cpu_seconds: float
    """User and system, from the process's start to its end."""
    wall_seconds: float
    """From the first list request to nothing pending."""
    peak_bytes: int
    """The process's highest resident memory."""


class Program:
    """A running program.

    Args:
        arguments: of the Python interpreter.
        log: where its output goes.
        stays: whether it runs until told to stop; otherwise it leaves by itself when all is carried.
    """

    def __init__(self, arguments: Sequence[str], log: Path, *, stays: bool) -> None:
        self._log = log
        self._stays = stays
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  our own programs, no shell
                [sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        self.peak_bytes = 0
        self.cpu_seconds: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not left; its memory is looked at, too."""
        if self.cpu_seconds is None:
            self._wait(os.WNOHANG)
        if self.cpu_seconds is None:
            self.peak_bytes = max(self.peak_bytes, self.memory("VmHWM"))
        return self.cpu_seconds is None

    def memory(self, line: str) -> int:
        """A line of /proc/PID/status, in bytes: VmHWM is the peak, VmRSS is now; 0 when it has left."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(found.split()[1]) * 1024 for found in status.splitlines() if found.startswith(line)), 0)

    def cpu_so_far(self) -> float:
        """User and system seconds until now, to a hundredth."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def leave(self) -> float:
        """See it leave, asked to where it stays; returns the CPU seconds of its whole life.

        Raises:
            RuntimeError: it left with an error, or not in time.
        """
        if self.is_running and self._stays:
            self._process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _LEAVES_WITHIN_SECONDS
        while self.is_running:
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError("it does not stop")
            threading.Event().wait(_LOOK_SECONDS / 5)
        if self._process.returncode or self.cpu_seconds is None:
            raise RuntimeError(f"it left with {self._process.returncode}:\n{self._log.read_text()[-2000:]}")
        return self.cpu_seconds

    def kill(self) -> None:
        """End it if it still runs."""
        if self.cpu_seconds is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._wait(0)

    def _wait(self, options: int) -> None:
        pid, status, usage = os.wait4(self._process.pid, options)
        if pid:
            self.cpu_seconds = usage.ru_utime + usage.ru_stime
            self._process.returncode = os.waitstatus_to_exitcode(status)


class Scene:
    """A real Kafka, and a folder for configurations and logs.

    Args:
        bootstrap_servers: where Kafka is.
        folder: temporary.
    """

    def __init__(self, bootstrap_servers: str, folder: Path) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.folder = folder

    @contextmanager
    def connector(self, base_url: str, site: str, feeds: Sequence[str] = (FEED,)) -> Iterator[Program]:
        """The connector, as a user starts it."""
        config = self.folder / f"{site}.yaml"
        config.write_text(self.settings(base_url, site, feeds))
        with self._program(["-m", "connector", "run", "--config", str(config)], site, stays=True) as program:
            yield program

    def settings(self, base_url: str, site: str, feeds: Sequence[str] = (FEED,)) -> str:
        """The configuration of one site."""
        return (
            f"app: benchmark-{site}\n"
            f"kafka: {{bootstrap_servers: '{self.bootstrap_servers}', create_topics: {{partitions: {PARTITIONS},"
            " replication_factor: 1, min_insync_replicas: 1}}\n"
            f"sites: {{{site}: {{kind: cienapps, base_url: '{base_url}', token: sandbox-token,"
            f" poll_interval_seconds: 1, feeds: [{', '.join(feeds)}]}}}}\n"
            "server: {port: 0}\nlogs: {format: json, level: warning}\n"
        )

    @contextmanager
    def plain_script(self, base_url: str, site: str) -> Iterator[Program]:
        """The plain script."""
        arguments = ["-m", "benchmarks.plain_script", base_url, self.bootstrap_servers, f"{site}.{FEED}"]
        with self._program(arguments, site, stays=False) as program:
            yield program

    def drain(self, program: str, orders: int) -> Drain:
        """Let `connector` or `plain_script` carry so many pending orders, and check that all arrived once."""
        site = f"s{next(_numbers)}"
        asyncio.run(self.make_topic(site))
        with erp(orders) as served, getattr(self, program)(served.base_url, site) as running:
            begun = _until_asked(served, running)
            _until_drained(served, running)
            wall = time.monotonic() - begun
            cpu = running.leave()
            peak = running.peak_bytes
        records = asyncio.run(self._count(f"{site}.{FEED}", orders)) if orders else 0
        return Drain(records, cpu, wall, peak)

    @contextmanager
    def _program(self, arguments: Sequence[str], site: str, *, stays: bool) -> Iterator[Program]:
        program = Program(arguments, self.folder / f"{site}.log", stays=stays)
        try:
            yield program
        finally:
            program.kill()

    async def make_topic(self, site: str) -> None:
        """The topics of a site's orders."""
        feed = Feed("benchmark", site, FEED, "cienapps", f"{site}.{FEED}", f"{site}.{FEED}.dead-letter")
        await check_topics(KafkaConnection(self.bootstrap_servers), [feed], TopicPlan(PARTITIONS, 1, 1))

    async def _count(self, topic: str, expected: int) -> int:
        """How many different keys the topic shows to a committed reader."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap_servers, isolation_level="read_committed")
        await consumer.start()
        seen: set[bytes | None] = set()
        read = 0
        try:
            consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
            await consumer.seek_to_beginning()
            async with asyncio.timeout(60 + expected / 20_000):
                while read < expected:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        read += len(records)
                        seen.update(record.key for record in records)
        finally:
            await consumer.stop()
        if read != expected or len(seen) != expected:
            raise RuntimeError(f"{topic} holds {read} records of {len(seen)} notifications, {expected} were offered")
        return read


@contextmanager
def scene() -> Iterator[Scene]:
    """A real Apache Kafka of one node, thrown away afterwards."""
    from connector.sandbox.apache import ApacheKafka  # noqa: PLC0415  not needed where another Kafka is given

    with tempfile.TemporaryDirectory(prefix="cien-benchmark-") as folder, ApacheKafka() as kafka:
        yield Scene(kafka.bootstrap_servers, Path(folder))


def _until_asked(served: Erp, running: Program) -> float:
    while not served.counts().list_requests:
        _look(running)
    return time.monotonic()


def _until_drained(served: Erp, running: Program) -> None:
    while served.counts().pending:
        _look(running)


def _look(running: Program) -> None:
    if not running.is_running and running.leave():
        raise RuntimeError("it left before all was carried")
    threading.Event().wait(_LOOK_SECONDS)
