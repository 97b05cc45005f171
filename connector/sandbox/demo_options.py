"""What the demo was asked to do, checked before anything is started.

Must not know how any of it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connector.errors import ConfigurationWrong
from connector.settings.values import is_loopback

Engine = Literal["embedded", "apache", "given"]

LARGEST_EMBEDDED_BACKLOG = 50_000
"""The embedded broker forgets the oldest records of a partition beyond 5 MB: a reader behind that would miss some."""
LARGEST_EMBEDDED_RATE = 500.0
"""Likewise: at this rate a reader on a busy machine is never so far behind."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """One demo.

    Args:
        seconds: how long the business goes on, None: until told to stop.
        rate: business changes per second.
        backlog: notifications that are pending at the start.
        kafka: `embedded`, `apache`, or bootstrap servers.
        allow_remote: whether these servers may be on other machines.
        kill: whether the connector is killed (SIGKILL) on the way.
        as_json: whether standard output is for a script.
        seed: the same seed tells the same story.
    """

    seconds: float | None = 30.0
    rate: float = 5.0
    backlog: int = 20
    kafka: str = "embedded"
    allow_remote: bool = False
    kill: bool = False
    as_json: bool = False
    seed: int = 1

    @property
    def engine(self) -> Engine:
        """Which Kafka it runs on."""
        if self.kafka == "embedded":
            return "embedded"
        return "apache" if self.kafka == "apache" else "given"

    @property
    def is_simulated(self) -> bool:
        """Whether the broker only imitates Kafka: such a run proves nothing about exactly once."""
        return self.engine == "embedded"

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises:
            ConfigurationWrong: with every problem.
        """
        problems = [*self._kafka_problems(), *self._embedded_problems()]
        if self.seconds is not None and self.seconds <= 0:
            problems.append("--for must be above 0 seconds")
        if self.rate < 0:
            problems.append("--rate must not be below 0")
        if self.backlog < 0:
            problems.append("--backlog must not be below 0")
        if problems:
            raise ConfigurationWrong(problems)

    def _kafka_problems(self) -> list[str]:
        if self.engine != "given":
            return []
        servers = [server.strip() for server in self.kafka.split(",")]
        if not all(_is_address(server) for server in servers):
            return ["--kafka must be embedded, apache, or HOST:PORT, several with commas between"]
        remote = [server for server in servers if not is_loopback(server.rpartition(":")[0].strip("[]"))]
        if remote and not self.allow_remote:
            where = ", ".join(remote)
            why = "is not on this machine, and the demo makes and deletes topics there"
            return [f"--kafka {where} {why}: add --allow-remote if that is meant"]
        return []

    def _embedded_problems(self) -> list[str]:
        if not self.is_simulated:
            return []
        problems: list[str] = []
        if self.backlog > LARGEST_EMBEDDED_BACKLOG:
            problems.append(
                f"--backlog {self.backlog} is more than the embedded broker keeps ({LARGEST_EMBEDDED_BACKLOG}):"
                " add --kafka apache"
            )
        if self.rate > LARGEST_EMBEDDED_RATE:
            problems.append(
                f"--rate {self.rate:g} is more than the embedded broker is good for ({LARGEST_EMBEDDED_RATE:g}):"
                " add --kafka apache"
            )
        return problems


def _is_address(server: str) -> bool:
    host, _, port = server.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 1 << 16
