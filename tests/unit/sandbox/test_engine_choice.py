"""Without a real Kafka the suite says loudly what it did not run, and under CI it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import Broker, chosen, given_problem
from tests.fakes.processes import CHECKOUT

# One test of those that need a real Kafka; which one does not matter.
NEEDS_KAFKA = "tests/integration/test_apache_kafka.py::test_open_transaction_is_not_shown"
NOWHERE = "http://127.0.0.1:1"


def run_without_real_kafka(cache: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A run of its own where there is no Docker and Maven Central cannot be reached."""
    cut_off = {
        "PATH": str(cache),
        "XDG_CACHE_HOME": str(cache),
        "HTTPS_PROXY": NOWHERE,
        "https_proxy": NOWHERE,
        "NO_PROXY": "",
        "no_proxy": "",
        "CONNECTOR_TEST_KAFKA": "",
        "CI": "",
    }
    return subprocess.run(  # noqa: S603 -- this interpreter, no shell
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", NEEDS_KAFKA],
        cwd=CHECKOUT,
        env=os.environ | cut_off | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_real_kafka(tmp_path: Path) -> None:
    """Its tests are skipped, and one line of the summary says how many and why."""
    run = run_without_real_kafka(tmp_path)
    assert run.returncode == 0, run.stdout
    loud = [line for line in run.stdout.splitlines() if "DID NOT RUN" in line]
    assert len(loud) == 1
    assert loud[0].startswith("1 TESTS DID NOT RUN")
    assert "docker: no docker command" in loud[0]
    assert "apache: Apache Kafka" in loud[0]


def test_no_real_kafka_under_ci(tmp_path: Path) -> None:
    """Where CI is true the same is a failure: a green run there means that the proof was run."""
    run = run_without_real_kafka(tmp_path, CI="true")
    assert run.returncode == 1, run.stdout
    assert "CI is true and this test needs a real Kafka" in run.stdout


def test_remote_brokers_given(tmp_path: Path) -> None:
    """Brokers elsewhere are refused before anything is run, in one line that says what to set."""
    run = run_without_real_kafka(tmp_path, CONNECTOR_TEST_KAFKA="kafka-1.example:9092")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "set CONNECTOR_TEST_ALLOW_REMOTE=1" in run.stderr


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [
        ("127.0.0.1:9092", False),
        ("localhost:9092,127.0.0.2:9093", False),
        ("[::1]:9092", False),
        ("", False),
        ("10.0.0.1:9092", True),
        ("127.0.0.1:9092,kafka.example:9092", True),
        ("localhost.example:9092", True),
    ],
)
def test_where_given_brokers_are(monkeypatch: pytest.MonkeyPatch, *, given: str, is_refused: bool) -> None:
    """Only loopback is taken without being asked twice; one remote broker among local ones is remote."""
    monkeypatch.delenv("CONNECTOR_TEST_ALLOW_REMOTE", raising=False)
    monkeypatch.setenv("CONNECTOR_TEST_KAFKA", given)
    assert (given_problem() is not None) is is_refused
    monkeypatch.setenv("CONNECTOR_TEST_ALLOW_REMOTE", "1")
    assert given_problem() is None


def test_given_broker_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker the tests are pointed at is used as it is, and counts as real."""
    monkeypatch.setenv("CONNECTOR_TEST_KAFKA", "127.0.0.1:9092")
    with chosen(lambda _: None) as broker:
        assert broker == Broker("127.0.0.1:9092", "given")
        assert broker.real
