"""SIGTERM ends the program with 0 and in time: at its very start, idle, under load, and with ERP and Kafka silent."""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.processes import Child
from tests.brokers import Broker
from tests.chaos.stage import until
from tests.fakes.processes import spawn_python, wait_for_line
from tests.integration.scene import Scene, scene

STOP_SECONDS = 25


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """One feed; its program is a process of its own."""
    with scene(kafka, tmp_path) as made:
        yield made


def started(here: Scene) -> Child:
    log = here.config.with_suffix(".log")
    return spawn_python(["-m", "connector", "run", "--config", here.write_config()], log=log)


def stopped(child: Child) -> float:
    """Ask it to stop; the seconds it took. It left with 0 and without a word of distress."""
    begun = time.monotonic()
    child.terminate()
    assert child.wait(STOP_SECONDS + 10) == 0, child.log_tail()
    log = child.log.read_text()
    assert "Traceback" not in log
    assert "ignored" not in log
    assert "did not stop in time" not in log
    return time.monotonic() - begun


def catches_sigterm(pid: int) -> bool:
    """Whether the process has a handler: before, no Python program can do anything about the signal."""
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("after_seconds", [0.0, 0.05, 0.1])
def test_at_the_very_start(after_seconds: float, here: Scene) -> None:
    """While it is still importing, or connecting: 0, and nothing was asked of the ERP that matters."""
    with started(here) as child:
        until(lambda: catches_sigterm(child.pid), 10)
        threading.Event().wait(after_seconds)  # what is tested, not a synchronisation
        assert stopped(child) < 5
    assert here.erp.counts.confirm_requests == 0


@pytest.mark.real_kafka
def test_idle(here: Scene) -> None:
    """At once."""
    with started(here) as child:
        until(lambda: here.erp.counts.list_requests["order"] > 2, 20)
        assert stopped(child) < 5


@pytest.mark.real_kafka
async def test_under_load(here: Scene) -> None:
    """The slice in hand is finished and confirmed; the next start carries the rest, nothing twice."""
    here.erp.create(30_000, "order")
    with started(here) as child:
        until(lambda: len(here.erp.pending("order")) < 30_000, 30)
        assert stopped(child) < STOP_SECONDS
    left = len(here.erp.pending("order"))
    assert 0 < left < 30_000
    assert len(await here.records(at_least=30_000 - left)) == 30_000 - left
    async with here.running():
        await here.delivered()
    await here.is_clean(notifications=30_000)


@pytest.mark.real_kafka
def test_while_the_erp_is_silent(here: Scene) -> None:
    """A list that does not come is not waited for."""
    here.has(Fault(kind=FaultKind.LATENCY, seconds=60))
    with started(here) as child:
        until(lambda: here.erp.counts.list_requests["order"] > 0, 20)
        assert stopped(child) < 5


def test_while_kafka_is_down(here: Scene) -> None:
    """Nor is a Kafka that does not answer."""
    here.settings["kafka"]["bootstrap_servers"] = "127.0.0.1:1"
    with started(here) as child:
        wait_for_line(child, "kafka_unreachable")
        assert stopped(child) < 5
