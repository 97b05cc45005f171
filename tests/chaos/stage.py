"""A sandbox ERP, a real Kafka, and worker processes between them that are killed and frozen."""

from __future__ import annotations

import itertools
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.sandbox.processes import Child
from connector.sandbox.serve import SandboxOptions, Served, serving_in_thread
from tests.chaos.judge import Verdict, judge
from tests.fakes.dump import dump, dump_until
from tests.fakes.processes import spawn_python, wait_for_line

FEED = "order"
_LOOK_SECONDS = 0.02
_DEADLINE_SECONDS = 60.0


class Stage:
    """One feed of one site, with topics of its own.

    Args:
        served: the ERP.
        bootstrap_servers: the Kafka.
        folder: where configuration, logs and markers go.
    """

    def __init__(self, served: Served, bootstrap_servers: str, folder: Path) -> None:
        self.erp = served.sandbox
        self.bootstrap_servers = bootstrap_servers
        self.folder = folder
        self.site = f"s{secrets.token_hex(4)}"
        self.topic = f"{self.site}.{FEED}"
        self._numbers = itertools.count(1)
        self._children: list[Child] = []
        self._config = folder / f"{self.site}.yaml"
        self._config.write_text(
            f"app: chaos-{self.site}\n"
            f"kafka: {{bootstrap_servers: '{bootstrap_servers}', create_topics: {{partitions: 4,"
            " replication_factor: 1, min_insync_replicas: 1}}\n"
            f"sites: {{{self.site}: {{kind: cienapps, base_url: '{served.base_url}', token: sandbox-token,"
            f" poll_interval_seconds: 0.1, feeds: [{FEED}]}}}}\n"
            "server: {port: 0}\nlogs: {format: json}\n"
        )

    def worker(self, *arguments: str) -> Child:
        """Start the program, with arguments of `tests.chaos.worker`."""
        log = self.folder / f"{self.site}-{next(self._numbers)}.log"
        child = spawn_python(["-m", "tests.chaos.worker", "--config", self._config, *arguments], log=log)
        self._children.append(child)
        return child

    def dies(self, *arguments: str) -> None:
        """A worker that kills itself; asserts that it did."""
        child = self.worker(*arguments)
        exit_code = child.wait(_DEADLINE_SECONDS)
        assert exit_code == -signal.SIGKILL, f"it ended with {exit_code}; its log ends\n{child.log_tail()}"

    def drain(self, *arguments: str, seconds: float = _DEADLINE_SECONDS) -> None:
        """One worker carries what is left, and leaves with 0 on SIGTERM; what it leaves pending is for the judge."""
        child = self.worker(*arguments)
        wait_for_line(child, "started")
        until(lambda: not self.erp.pending(FEED) or child.exit_code is not None, seconds, can_fail=True)
        child.terminate()
        exit_code = child.wait(_DEADLINE_SECONDS)
        assert exit_code == 0, f"it ended with {exit_code}; its log ends\n{child.log_tail()}"

    async def verdict(self) -> Verdict:
        """The truth against what a committed reader sees, once it sees as many records as there should be."""
        truth = self.erp.truth()
        try:
            records = await dump_until(self.bootstrap_servers, self.topic, len(truth), deadline_seconds=5)
        except TimeoutError:
            records = await dump(self.bootstrap_servers, self.topic)
        return judge(truth, records)

    def close(self) -> None:
        """End every worker that still runs."""
        for child in self._children:
            child.kill()


def until(condition: Callable[[], bool], seconds: float, *, can_fail: bool = False) -> None:
    """Block until the condition holds; TimeoutError when it never does and may not fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            if can_fail:
                return
            message = f"not within {seconds} s"
            raise TimeoutError(message)
        threading.Event().wait(_LOOK_SECONDS)


@contextmanager
def stage(bootstrap_servers: str, folder: Path, *, notifications: int) -> Iterator[Stage]:
    """A stage with so many pending orders."""
    with serving_in_thread(SandboxOptions()) as served:
        served.sandbox.create(notifications, FEED)
        made = Stage(served, bootstrap_servers, folder)
        try:
            yield made
        finally:
            made.close()
