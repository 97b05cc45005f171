"""One Apache Kafka process in KRaft mode, broker and controller in one: its properties, its life, what it sees.

Must not know which other nodes are up, nor where jars and Java come from.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.protocol.api import RequestHeader_v1
from aiokafka.protocol.metadata import MetadataRequest_v1, MetadataResponse_v1

from connector.sandbox.processes import Child

_JVM = ("-Xmx256m", "-Xms256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_HOST = "127.0.0.1"
_ANSWER_TIMEOUT_SECONDS = 2.0
_FORMAT_TIMEOUT_SECONDS = 60.0
_NO_CORRELATION_BYTES = 4


@dataclass(frozen=True, slots=True)
class Address:
    """A node's number and its two loopback ports."""

    node_id: int
    port: int
    controller_port: int

    @property
    def voter(self) -> str:
        """The node in `controller.quorum.voters`."""
        return f"{self.node_id}@{_HOST}:{self.controller_port}"

    @property
    def bootstrap_server(self) -> str:
        """The node as clients write it."""
        return f"{_HOST}:{self.port}"


@dataclass(slots=True)
class BrokerNode:
    """One node; its data stay in `folder` over kills and restarts.

    Args:
        address: its number and ports.
        folder: an existing empty folder of its own, below one that goes with the whole cluster.
        java: the Java to run.
        jars: the folder with Apache Kafka's jars.
    """

    address: Address
    folder: Path
    java: Path
    jars: Path
    child: Child | None = field(default=None, init=False)
    is_frozen: bool = field(default=False, init=False)

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended; a frozen node runs."""
        return self.child is not None and self.child.is_running

    @property
    def is_up(self) -> bool:
        """Whether it runs and is not frozen."""
        return self.is_running and not self.is_frozen

    def begin_format(self, cluster_id: str, properties: Mapping[str, str]) -> None:
        """Write the properties and start to format the storage; `end_format` waits for it."""
        lines = [f"{name}={value}\n" for name, value in properties.items()]
        self._settings.write_text("".join(lines), "utf-8")
        self.child = self._spawn("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", self._settings)

    def end_format(self) -> bool:
        """Block until the storage is formatted; False when that failed, and the log says why."""
        return self.child is not None and self.child.wait(_FORMAT_TIMEOUT_SECONDS) == 0

    def start(self) -> None:
        """Start the broker and return at once."""
        self.child = self._spawn(_QUIET, "kafka.Kafka", self._settings)
        self.is_frozen = False

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.child is not None:
            self.child.kill()
        self.is_frozen = False

    def log_tail(self) -> str:
        """The last lines of its log, empty before the first start."""
        return self.child.log_tail() if self.child is not None else ""

    def _spawn(self, *arguments: str | Path) -> Child:
        command: Sequence[str | Path] = (self.java, *_JVM, "-cp", f"{self.jars}/*", *arguments)
        return Child(command, log=self.folder / "log", folder=self.folder, remove_with_parent=self.folder.parent)

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"


def properties(address: Address, voters: Sequence[Address], data: Path) -> dict[str, str]:
    """The server properties of one node: loopback only, quick to start and to fail over, a test's sizes."""
    nodes = len(voters)
    listeners = f"PLAINTEXT://{address.bootstrap_server},CONTROLLER://{_HOST}:{address.controller_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": str(address.node_id),
        "controller.quorum.voters": ",".join(voter.voter for voter in voters),
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": f"PLAINTEXT://{address.bootstrap_server}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": str(nodes),
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": str(nodes),
        "transaction.state.log.min.isr": str(min(nodes, 2)),
        "transaction.state.log.num.partitions": "3",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "4194304",
        "controlled.shutdown.enable": str(nodes > 1).lower(),
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "replica.lag.time.max.ms": "5000",
        # Else a frozen controller keeps the others' requests, and with them every new producer, waiting for 30 s.
        "controller.socket.timeout.ms": "2000",
    }


def brokers_seen_at(address: Address) -> set[int]:
    """The numbers of the brokers in this node's own metadata; empty while it does not answer.

    Asked on a plain socket because a client would go on to any other node: what counts is what this one says.
    """
    request = MetadataRequest_v1(topics=[])
    wire = RequestHeader_v1(request, correlation_id=1).encode() + request.encode()
    try:
        with socket.create_connection((_HOST, address.port), _ANSWER_TIMEOUT_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(wire)) + wire)
            with connection.makefile("rb") as stream:
                (length,) = struct.unpack(">i", stream.read(4))
                answer = stream.read(length)
        metadata = MetadataResponse_v1.decode(answer[_NO_CORRELATION_BYTES:])
    except (OSError, struct.error, ValueError):
        return set()
    return {broker[0] for broker in metadata.brokers}


def free_addresses(nodes: int) -> list[Address]:
    """Ports that were free a moment ago, all different because all are held until the last is chosen."""
    with ExitStack() as held:
        ports = [held.enter_context(_bound()).getsockname()[1] for _ in range(2 * nodes)]
    return [Address(number + 1, ports[2 * number], ports[2 * number + 1]) for number in range(nodes)]


def _bound() -> socket.socket:
    free = socket.socket()
    free.bind((_HOST, 0))
    return free
