"""A real Apache Kafka on loopback, of one node or three, that can be killed and frozen node by node.

Must not know who uses it: tests, the demo and the sandbox start the same one.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from connector.sandbox.artifacts import KafkaUnavailable, java, kafka_jars, tell_on_stderr
from connector.sandbox.broker_node import BrokerNode, brokers_seen_at, free_addresses, properties

__all__ = ["ApacheKafka", "KafkaUnavailable"]

_START_SECONDS = 60.0
_ATTEMPTS = 3
_LOOK_EVERY_SECONDS = 0.05
_PORT_TAKEN = "Address already in use"


class _PortTakenError(Exception):
    """Somebody took a port between our asking for a free one and the broker's binding it."""


class ApacheKafka:
    """A cluster whose data live in a temporary folder; use it as a context manager, or `start` and `stop`.

    Its processes end with it, and with the process that started it however that one ends.
    Every method blocks: from a coroutine, call it in a thread.

    Args:
        nodes: how many brokers; each is a controller too. Nodes are numbered from 1.
        extra_properties: server properties over the built-in ones, for example `message.max.bytes`.
        jars: the folder with Apache Kafka's jars; fetched into the cache by default.
        tell: gets one line when the jars have to be fetched.
    """

    def __init__(
        self,
        nodes: Literal[1, 3] = 1,
        *,
        extra_properties: Mapping[str, str] | None = None,
        jars: Path | None = None,
        tell: Callable[[str], None] = tell_on_stderr,
    ) -> None:
        self._count = nodes
        self._extra = dict(extra_properties or {})
        self._jars = jars
        self._tell = tell
        self._nodes: dict[int, BrokerNode] = {}
        self._folder: Path | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Every node, as clients write them; the same over kills and restarts."""
        return ",".join(node.address.bootstrap_server for node in self._nodes.values())

    @property
    def pids(self) -> dict[int, int]:
        """The process id of each running node."""
        return {
            number: node.child.pid for number, node in self._nodes.items() if node.child is not None and node.is_running
        }

    def start(self) -> None:
        """Start all nodes and block until each sees them all.

        Raises:
            KafkaUnavailable: no jars, no Java, or not ready within 60 s; nothing is left running.
        """
        jars = self._jars or kafka_jars(tell=self._tell)
        java_path = java()
        for _ in range(_ATTEMPTS):
            try:
                self._start(java_path, jars)
            except _PortTakenError:
                self.stop()
            except BaseException:
                self.stop()
                raise
            else:
                return
        message = f"Apache Kafka found its loopback ports taken {_ATTEMPTS} times: start it again"
        raise KafkaUnavailable(message)

    def kill(self, node: int) -> None:
        """End a node as a power failure would (SIGKILL); its data stay."""
        self._nodes[node].kill()

    def restart(self, node: int) -> None:
        """Start a killed node on its old port and data, and block until it sees every node that is up.

        Raises:
            KafkaUnavailable: it is not ready within 60 s.
        """
        self._nodes[node].kill()
        self._nodes[node].start()
        try:
            self._wait_until_ready()
        except _PortTakenError as error:
            raise _unavailable("found its port taken by another program", self._nodes[node]) from error

    def freeze(self, node: int) -> None:
        """Stop a node's time (SIGSTOP): its sockets stay open and answer nothing."""
        child = self._nodes[node].child
        if child is not None:
            child.freeze()
            self._nodes[node].is_frozen = True

    def thaw(self, node: int) -> None:
        """Let a frozen node go on."""
        child = self._nodes[node].child
        if child is not None:
            child.thaw()
            self._nodes[node].is_frozen = False

    def mend(self) -> None:
        """Thaw and restart whatever is frozen or killed, and block until all nodes see each other.

        Raises:
            KafkaUnavailable: they do not within 60 s.
        """
        for number, node in self._nodes.items():
            if node.is_frozen:
                self.thaw(number)
            elif not node.is_running:
                node.start()
        self._wait_until_ready()

    def stop(self) -> None:
        """Kill every node and throw the data away; nothing when it is stopped already."""
        for node in self._nodes.values():
            node.kill()
        self._nodes = {}
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, java_path: Path, jars: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cien-kafka-"))
        addresses = free_addresses(self._count)
        for address in addresses:
            folder = self._folder / f"node-{address.node_id}"
            folder.mkdir()
            self._nodes[address.node_id] = BrokerNode(address, folder, java_path, jars)
        # The first byte keeps the id from beginning with a dash, which the tool would take for an option.
        cluster_id = base64.urlsafe_b64encode(b"\0" + os.urandom(15)).decode()[:22]
        for node in self._nodes.values():
            node.begin_format(cluster_id, properties(node.address, addresses, node.folder / "data") | self._extra)
        for node in self._nodes.values():
            if not node.end_format():
                raise _unavailable("cannot format its storage", node)
        for node in self._nodes.values():
            node.start()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Ready means: every node that is up tells of every node that is up."""
        awaited = {number: node for number, node in self._nodes.items() if node.is_up}
        deadline = time.monotonic() + _START_SECONDS
        unready = dict(awaited)
        while unready:
            for number, node in list(unready.items()):
                if not node.is_running:
                    if _PORT_TAKEN in node.log_tail():
                        raise _PortTakenError
                    raise _unavailable("ended while starting", node)
                if brokers_seen_at(node.address) >= awaited.keys():
                    del unready[number]
                elif time.monotonic() > deadline:
                    what = f"is not ready after {_START_SECONDS:.0f} s"
                    raise _unavailable(what, node)
            if unready:
                time.sleep(_LOOK_EVERY_SECONDS)


def _unavailable(what: str, node: BrokerNode) -> KafkaUnavailable:
    message = f"Apache Kafka's node {node.address.node_id} {what}; its log ends\n{node.log_tail()}"
    return KafkaUnavailable(message)
