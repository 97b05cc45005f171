"""The demo's children: what they say is read as it comes, and one that ends is missed at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from connector.errors import Fatal
from connector.model import Point
from connector.sandbox.demo_children import Connector, Consumer, LogLines, shipped


def ended(part: Connector | Consumer, deadline_seconds: float = 30.0) -> Fatal:
    """The error of a child that ends by itself."""
    deadline = time.monotonic() + deadline_seconds
    while time.monotonic() < deadline:
        try:
            part.check()
        except Fatal as error:
            return error
    pytest.fail("it still runs")


def test_whole_lines_once(tmp_path: Path) -> None:
    """A line is told when it is finished, and never again; a file that is not there yet has none."""
    log = LogLines(tmp_path / "log")
    assert log.new_lines() == []
    log.path.write_bytes(b"one\ntw")
    assert log.new_lines() == [b"one"]
    with log.path.open("ab") as file:
        file.write(b"o\nthree\n")
    assert log.new_lines() == [b"two", b"three"]
    assert log.new_lines() == []


def test_connector_that_cannot_start(tmp_path: Path) -> None:
    """Its own error lines become the demo's."""
    with Connector(tmp_path, check_crcs=True) as connector:
        connector.start()
        connector.configure({"app": "demo"})
        error = ended(connector)
    assert error.exit_code == 1
    assert "the connector ended with 2 before the demo did" in error.message
    assert "kafka" in error.message
    assert "error:" not in error.message


def test_environment_of_the_user_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CONNECTOR_ variable meant for a real installation is not looked at."""
    monkeypatch.setenv("CONNECTOR_NO_SUCH_SETTING", "1")
    with Connector(tmp_path, check_crcs=True) as connector:
        connector.start()
        connector.configure({"app": "demo"})
        assert "NO_SUCH_SETTING" not in ended(connector).message


def test_points_of_death_follow_one_another(tmp_path: Path) -> None:
    """The first process dies at the first point, the second at the second, the third at none."""
    seen: list[Point | None] = []
    with Connector(tmp_path, check_crcs=True, deaths=[Point.BEFORE_COMMIT, Point.AFTER_COMMIT]) as connector:
        for _ in range(3):
            connector.start()
            seen.append(connector.death)
            connector.kill()
            assert connector.is_dead
    assert seen == [Point.BEFORE_COMMIT, Point.AFTER_COMMIT, None]


def test_consumer_without_a_broker(tmp_path: Path) -> None:
    """A consumer that ends is missed with the end of its traceback, and blocks nobody who reads it."""
    with Consumer(tmp_path, "127.0.0.1:1", ["none"], check_crcs=True) as consumer:
        assert consumer.lines() == []
        error = ended(consumer)
        while consumer.lines():
            pass
    assert "the consumer ended with 1 before the demo did" in error.message
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(consumer.descriptor)


def test_what_the_demo_needs_is_shipped() -> None:
    """The consumer and the schemas are found in a wheel and in a checkout."""
    assert (shipped("examples") / "consume.py").is_file()
    assert (shipped("avro") / "cienapps" / "order.avsc").is_file()
