"""Which Kafka the tests run on: the one they are given, Docker's, Apache's own artifacts, or the embedded one.

Must not know what any test does with it.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.sandbox.apache import ApacheKafka, KafkaUnavailable
from connector.sandbox.artifacts import KAFKA_VERSION
from connector.sandbox.broker_node import Address, brokers_seen_at, free_addresses, properties
from connector.sandbox.embedded import EmbeddedBroker

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

Engine = Literal["given", "docker", "apache", "embedded"]

GIVEN = "CONNECTOR_TEST_KAFKA"
ALLOW_REMOTE = "CONNECTOR_TEST_ALLOW_REMOTE"
_DOCKER_PROBE_SECONDS = 5.0
_DOCKER_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A running Kafka."""

    bootstrap_servers: str
    engine: Engine
    embedded: EmbeddedBroker | None = field(default=None, repr=False)
    declined: tuple[str, ...] = ()
    """Why the engines before this one could not be had, one line each."""

    @property
    def real(self) -> bool:
        """Whether it fences and has a last stable offset: whether a test on it proves anything about exactly once."""
        return self.engine != "embedded"

    @property
    def check_crcs(self) -> bool:
        """What consumers on it must be told: the embedded one's batches carry wrong checksums."""
        return self.real


def given_problem() -> str | None:
    """What is wrong with CONNECTOR_TEST_KAFKA, None when it is usable or not set."""
    given = os.environ.get(GIVEN, "")
    remote = [server for server in given.split(",") if given and not _is_loopback(server)]
    if remote and os.environ.get(ALLOW_REMOTE) != "1":
        return (
            f"{GIVEN} names brokers that are not on this machine ({', '.join(remote)}): tests create topics there;"
            f" set {ALLOW_REMOTE}=1 if that is meant"
        )
    return None


@contextmanager
def chosen(tell: Callable[[str], None]) -> Iterator[Broker]:
    """The first engine that can be had, running.

    Args:
        tell: gets a line when something has to be fetched first.
    """
    given = os.environ.get(GIVEN)
    if given:
        yield Broker(given, "given")
        return
    declined: list[str] = []
    with ExitStack() as running:
        for engine, start in (("docker", _docker), ("apache", _apache)):
            try:
                broker = running.enter_context(start(tell))
            except KafkaUnavailable as error:
                declined.append(f"{engine}: {error.message.splitlines()[0]}")
            else:
                yield broker
                return
        embedded = running.enter_context(EmbeddedBroker())
        yield Broker(embedded.bootstrap_servers, "embedded", embedded, tuple(declined))


@contextmanager
def _apache(tell: Callable[[str], None]) -> Iterator[Broker]:
    with ApacheKafka(tell=tell) as kafka:
        yield Broker(kafka.bootstrap_servers, "apache")


@contextmanager
def _docker(tell: Callable[[str], None]) -> Iterator[Broker]:
    docker = shutil.which("docker")
    if docker is None:
        message = "no docker command"
        raise KafkaUnavailable(message)
    try:
        # The whole probe, a daemon that hangs included.
        subprocess.run([docker, "info"], capture_output=True, timeout=_DOCKER_PROBE_SECONDS, check=True)  # noqa: S603 -- the user's own docker, no shell
    except (OSError, subprocess.SubprocessError) as error:
        message = f"docker info does not answer ({type(error).__name__})"
        raise KafkaUnavailable(message) from error
    with ExitStack() as running:
        try:
            server = _start_container(running, tell)
        except KafkaUnavailable:
            raise
        except Exception as error:  # docker's, requests' and testcontainers' errors: any of them means the next engine
            message = f"the image apache/kafka:{KAFKA_VERSION} does not start ({type(error).__name__})"
            raise KafkaUnavailable(message) from error
        yield Broker(server, "docker")


def _start_container(running: ExitStack, tell: Callable[[str], None]) -> str:
    """A container of Apache's image, advertised under the port that the host gave it; its bootstrap server."""
    with warnings.catch_warnings():
        # Docker's client leaves sockets to the garbage collector, which is no business of our tests.
        warnings.simplefilter("ignore")
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 -- slow, and warns as it is imported

        tell(f"starting apache/kafka:{KAFKA_VERSION} in Docker (pulled once)…")
        (address,) = free_addresses(1)
        container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}")
        # Both sides use one number, so that what the broker advertises holds inside and outside.
        container.ports[str(address.port)] = ("127.0.0.1", address.port)  # type: ignore[assignment]  # docker takes it
        for name, value in _container_settings(address).items():
            container.with_env(name, value)
        running.callback(_stopped_quietly, container)
        container.start()
    deadline = time.monotonic() + _DOCKER_START_SECONDS
    while not brokers_seen_at(address):
        if time.monotonic() > deadline:
            message = f"the container does not answer within {_DOCKER_START_SECONDS:.0f} s"
            raise KafkaUnavailable(message)
        time.sleep(0.1)
    return address.bootstrap_server


def _container_settings(address: Address) -> dict[str, str]:
    """The image takes server properties from its environment, and none of its own once one is given."""
    settings = properties(address, [address], Path("/tmp/kafka-data"))  # noqa: S108 -- inside the container
    settings["listeners"] = f"PLAINTEXT://0.0.0.0:{address.port},CONTROLLER://127.0.0.1:{address.controller_port}"
    return {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}


def _stopped_quietly(container: DockerContainer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        container.stop()
        # What Docker's client left open warns when collected: here, not in the middle of a test.
        gc.collect()


def _is_loopback(server: str) -> bool:
    host = server.rsplit(":", 1)[0].strip("[] ")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
