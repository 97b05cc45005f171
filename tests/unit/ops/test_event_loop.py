"""The event loop's lag."""

from __future__ import annotations

import asyncio
import time

from connector.ops.event_loop import sample_event_loop_lag
from connector.ops.series import Histogram


class HeardHistogram(Histogram):
    """Tells when something was observed."""

    def __init__(self) -> None:
        super().__init__([0.04])
        self.is_observed = asyncio.Event()

    def observe(self, value: float, count: int = 1) -> None:
        super().observe(value, count)
        self.is_observed.set()


async def test_blocked_loop_shows() -> None:
    """Work that holds the loop for 60 ms is seen as a wake-up that came late."""
    lag = HeardHistogram()
    sampling = asyncio.create_task(sample_event_loop_lag(lag, sample_seconds=0.01))
    await asyncio.sleep(0)
    time.sleep(0.06)  # noqa: ASYNC251  holding the loop is what is tested
    async with asyncio.timeout(10):
        await lag.is_observed.wait()
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)
    counts = dict(lag.cumulative())
    assert (counts["0.04"], counts["+Inf"]) == (0, 1)
