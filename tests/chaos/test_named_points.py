"""The real program killed at every named point of its session, restarted, and judged on a real Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.model import Point
from tests.brokers import Broker
from tests.chaos.stage import stage

pytestmark = pytest.mark.real_kafka

# Which occurrence of the point the process dies at: late enough that slices, acks and confirms lie on both sides.
OCCURRENCE = {
    Point.AFTER_FENCE: 1,
    Point.IN_SCAN: 1,
    Point.BEFORE_PRODUCE: 2,
    Point.BETWEEN_BATCHES: 4,
    Point.BEFORE_COMMIT: 2,
    Point.DURING_COMMIT: 2,
    Point.AFTER_COMMIT: 2,
    Point.BEFORE_CONFIRM: 2,
    Point.AFTER_CONFIRM: 2,
    Point.AFTER_MARK: 1,
}


def test_every_named_point_is_in_the_table() -> None:
    """The table of docs/failures.md, the one above and the code name the same points."""
    assert set(OCCURRENCE) == set(Point)
    text = (Path(__file__).parents[2] / "docs" / "failures.md").read_text()
    assert [point for point in Point if f"`{point.value}`" not in text] == []


@pytest.mark.parametrize("point", list(Point))
async def test_killed_there_and_restarted(point: Point, kafka: Broker, tmp_path: Path) -> None:
    """0 lost, 0 doubled, 0 out of order, 0 left pending."""
    with stage(kafka.bootstrap_servers, tmp_path, notifications=150) as scene:
        # A first death after a commit, so that every later session has something to scan.
        scene.dies("--kill", f"{Point.AFTER_COMMIT}:1")
        scene.dies("--kill", f"{point}:{OCCURRENCE[point]}")
        scene.erp.create(20, "order")
        scene.drain()
        verdict = await scene.verdict()
    assert verdict.notifications == 170
    assert verdict.is_clean, verdict
