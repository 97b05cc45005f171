from __future__ import annotations

import pytest

from connector.ops.metrics import Metrics
from connector.ops.observer import FeedObserver
from tests.fakes.hand_clock import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def metrics(clock: HandClock) -> Metrics:
    return Metrics(version="0.1.0", wall=clock, monotonic=clock)


@pytest.fixture
def observer(metrics: Metrics) -> FeedObserver:
    return metrics.observe_feed("montreal", "order", poll_interval_seconds=5.0)
