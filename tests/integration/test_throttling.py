"""429 with Retry-After: the ERP is left alone for as long as it asked, and the wait is counted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest

from connector.model import State
from connector.sandbox.faults import Fault, FaultKind
from tests.brokers import Broker
from tests.integration.scene import scene


@pytest.mark.parametrize("asked_for", [("seconds", 1), ("date", 2)], ids=["seconds", "date"])  # a date: whole seconds
@pytest.mark.parametrize("route", ["list", "confirm"])
async def test_retry_after(
    asked_for: tuple[Literal["seconds", "date"], int], route: Literal["list", "confirm"], kafka: Broker, tmp_path: Path
) -> None:
    """In seconds and as a date, for lists and for confirms."""
    written_as, seconds = asked_for
    fault = Fault(kind=FaultKind.THROTTLE, route=route, retry_after_seconds=seconds, retry_after_as=written_as, times=1)
    with scene(kafka, tmp_path) as here:
        here.erp.create(5, "order")
        here.has(fault)
        async with here.running():
            message = await here.tells(State.BACKING_OFF, "http_429")
            begun = time.monotonic()
            assert "asked to come back in" in message
            throttled = await here.metric("source_throttled_seconds_total")
            asked = here.erp.counts.list_requests["order"]
            assert throttled is not None
            assert 0 < throttled <= seconds
            await here.until_true(lambda: here.erp.counts.list_requests["order"] > asked)
            assert time.monotonic() - begun > throttled - 0.5  # since the state was seen
            await here.delivered()
            assert await here.metric("source_throttled_seconds_total") == throttled
        await here.is_clean(notifications=5)
