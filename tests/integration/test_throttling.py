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


@pytest.mark.parametrize("written_as", ["seconds", "date"])
@pytest.mark.parametrize("route", ["list", "confirm"])
async def test_retry_after(
    written_as: Literal["seconds", "date"], route: Literal["list", "confirm"], kafka: Broker, tmp_path: Path
) -> None:
    """In seconds and as a date, for lists and for confirms."""
    fault = Fault(kind=FaultKind.THROTTLE, route=route, retry_after_seconds=2, retry_after_as=written_as, times=1)
    with scene(kafka, tmp_path) as here:
        here.erp.create(5, "order")
        here.has(fault)
        async with here.running():
            message = await here.tells(State.BACKING_OFF, "http_429")
            begun = time.monotonic()
            assert "asked to come back in" in message
            asked_for = await here.metric("source_throttled_seconds_total")
            asked = here.erp.counts.list_requests["order"]
            assert asked_for is not None
            assert 0 < asked_for <= 2  # a date has whole seconds
            await here.until_true(lambda: here.erp.counts.list_requests["order"] > asked)
            assert time.monotonic() - begun > asked_for - 0.5  # since the state was seen
            await here.delivered()
            assert await here.metric("source_throttled_seconds_total") == asked_for
        await here.is_clean(notifications=5)
