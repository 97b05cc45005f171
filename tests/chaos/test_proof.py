"""The proof that the rules are needed: each broken loop is caught, and the real one survives the same misfortune."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brokers import Broker
from tests.chaos.proof import EXPERIMENTS, Experiment, conduct

pytestmark = pytest.mark.real_kafka


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.broken)
async def test_the_real_loop_survives(experiment: Experiment, kafka: Broker, tmp_path: Path) -> None:
    """0 lost, 0 doubled, 0 out of order, 0 pending."""
    verdict = await conduct(experiment, "the real loop", kafka.bootstrap_servers, tmp_path)
    assert verdict.is_clean, verdict


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.broken)
async def test_the_broken_loop_is_caught(experiment: Experiment, kafka: Broker, tmp_path: Path) -> None:
    """The loop that leaves the rule out loses or doubles notifications."""
    verdict = await conduct(experiment, experiment.broken, kafka.bootstrap_servers, tmp_path)
    assert verdict.lost or verdict.doubled, verdict
