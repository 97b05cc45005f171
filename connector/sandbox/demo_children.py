"""The demo's two child processes: the connector, which may die and come back, and the consumer that users start from.

Must not know what is made of the consumer's records, nor who writes the configuration.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from connector.errors import Fatal
from connector.model import Point
from connector.sandbox.processes import Child

_STOP_SECONDS = 27.0  # the connector's own limit is 25
_READ_BYTES = 1 << 16
_TAIL_LINES = 5


class Connector:
    """The connector, started anew as often as it is killed; a context manager that ends it.

    Args:
        folder: of the demo's own, where its configuration and logs go.
        check_crcs: False for the embedded broker.
        deaths: the points at which the first, second, ... process may be made to die.
    """

    def __init__(self, folder: Path, *, check_crcs: bool, deaths: Sequence[Point] = ()) -> None:
        self._folder = folder
        self._check_crcs = check_crcs
        self._deaths = deaths
        self._started = 0
        self._child: Child | None = None
        self._log = LogLines(folder / "connector-0.log")

    @property
    def config(self) -> Path:
        """The file that a process waits for."""
        return self._folder / "connector.yaml"

    @property
    def pid(self) -> int:
        """The running process."""
        return self._running.pid

    @property
    def death(self) -> Point | None:
        """Where this process dies once told to; None when it cannot be."""
        return self._deaths[self._started - 1] if self._started <= len(self._deaths) else None

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return not self._running.is_running

    def start(self) -> None:
        """Start a process; it imports its parts, then waits for the configuration."""
        self._started += 1
        self._log = LogLines(self._folder / f"connector-{self._started}.log")
        command: list[str | Path] = [sys.executable, "-m", "connector.sandbox.demo_worker", self.config]
        if not self._check_crcs:
            command.append("--no-crcs")
        if self.death is not None:
            command += ["--die-at", self.death.value, self._armed]
        self._child = Child(command, log=self._log.path, remove_with_parent=self._folder)

    def configure(self, document: dict[str, Any]) -> None:
        """Write the configuration, at once as a whole."""
        unfinished = self.config.with_suffix(".part")
        unfinished.write_text(json.dumps(document, indent=2), "utf-8")  # every JSON document is YAML too
        unfinished.rename(self.config)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it logged since the last look."""
        for line in self._log.new_lines():
            if line.startswith(b"{"):
                yield json.loads(line)

    def arm(self) -> None:
        """From now on the process dies when it reaches its point."""
        self._armed.touch()

    def kill(self) -> None:
        """SIGKILL at once, wherever it is."""
        self._running.kill()

    def check(self) -> None:
        """Nothing while it runs.

        Raises:
            Fatal: it ended without being asked to.
        """
        if (code := self._running.exit_code) is not None:
            raise _ended("connector", code, self._running.log_tail(_TAIL_LINES).splitlines())

    def stop(self) -> int:
        """End it in good order, otherwise not; blocks, and returns its exit code."""
        child = self._running
        child.terminate()
        try:
            return child.wait(_STOP_SECONDS)
        except TimeoutError:
            child.kill()
            return child.wait(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.kill()

    @property
    def _running(self) -> Child:
        if self._child is None:
            message = "the connector is not started"
            raise RuntimeError(message)
        return self._child

    @property
    def _armed(self) -> Path:
        return self._folder / f"die-{self._started}"


class Consumer:
    """examples/consume.py, its lines as they come; a context manager that ends it.

    Args:
        folder: of the demo's own.
        bootstrap_servers: where Kafka is.
        topics: what it reads.
        check_crcs: False for the embedded broker.
    """

    def __init__(self, folder: Path, bootstrap_servers: str, topics: Sequence[str], *, check_crcs: bool) -> None:
        # A named pipe, not a file: an endless demo must not fill the disk.
        pipe = folder / "consumer"
        os.mkfifo(pipe)
        self.descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._unfinished = b""
        self._noise: deque[str] = deque(maxlen=_TAIL_LINES)
        script, schemas = shipped("examples") / "consume.py", shipped("avro")
        command: list[str | Path] = [sys.executable, script, bootstrap_servers, schemas, *topics]
        env = os.environ | {"CHECK_CRCS": "yes" if check_crcs else "no"}
        self._child = Child(command, log=pipe, env=env, remove_with_parent=folder)

    def lines(self) -> list[bytes]:
        """The records it printed since the last look, one line of JSON each; never blocks."""
        try:
            read = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return []
        *whole, self._unfinished = (self._unfinished + read).split(b"\n")
        records = [line for line in whole if line.startswith(b"{")]
        if len(records) < len(whole):
            self._noise += [line.decode("utf-8", "replace") for line in whole if not line.startswith(b"{")]
        return records

    def check(self) -> None:
        """Nothing while it runs.

        Raises:
            Fatal: it ended.
        """
        if (code := self._child.exit_code) is not None:
            raise _ended("consumer", code, self._noise)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        os.close(self.descriptor)


class LogLines:
    """The whole lines of a growing file, each once.

    Args:
        path: the file; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def new_lines(self) -> list[bytes]:
        """The lines that were finished since the last look."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._read)
            *whole, unfinished = file.read().split(b"\n")
            self._read = file.tell() - len(unfinished)
        return whole


def shipped(name: str) -> Path:
    """A folder that the wheel carries inside the package and a checkout beside it."""
    package = Path(str(files("connector")))
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def _ended(part: str, code: int, last_lines: Iterable[str]) -> Fatal:
    told = [line.removeprefix("error: ") for line in last_lines if line.strip() and not line.startswith("{")]
    return Fatal("demo_child_ended", "\n".join([f"the {part} ended with {code} before the demo did", *told]))
