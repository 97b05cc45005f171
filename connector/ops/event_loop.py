"""Measures how late the event loop wakes who sleeps: the one number that shows a loop blocked by somebody's work.

Must not know who blocks it.
"""

from __future__ import annotations

import asyncio
from typing import NoReturn

from connector.ops.series import Histogram

_SAMPLE_SECONDS = 0.5


async def sample_event_loop_lag(lag: Histogram, sample_seconds: float = _SAMPLE_SECONDS) -> NoReturn:
    """Observe the overshoot of a sleep again and again, in seconds; runs until cancelled."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + sample_seconds
        await asyncio.sleep(sample_seconds)
        lag.observe(max(0.0, clock() - due))
