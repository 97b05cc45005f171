"""Feeds and sites do not hold one another up, and an ERP is asked for one list at a time."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from connector.model import State
from connector.sandbox.documented import FEEDS
from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.serve import SandboxOptions, serving
from tests.brokers import Broker
from tests.integration.scene import scene


async def test_a_blocked_feed_beside_others(kafka: Broker, tmp_path: Path) -> None:
    """A list that is not there (404) blocks its own feed only."""
    with scene(kafka, tmp_path, feeds=FEEDS) as here:
        for feed in FEEDS:
            here.erp.create(4, feed)
        here.has(Fault(kind=FaultKind.ERROR_STATUS, feed="quotation", status=404))
        async with here.running():
            await here.tells(State.BLOCKED, "not_found", "quotation")
            await here.delivered("order", "workorder")
            assert (await here.standing("quotation"))["state"] == "blocked"
            assert await here.records("quotation") == []
            here.mend()
            await here.delivered(*FEEDS)
        await here.is_clean(*FEEDS, notifications=12)


async def test_one_list_at_a_time(kafka: Broker, tmp_path: Path) -> None:
    """Three feeds of one site that answers slowly: never two lists at once."""
    with scene(kafka, tmp_path, feeds=FEEDS) as here:
        here.has(Fault(kind=FaultKind.LATENCY, route="list", seconds=0.05))
        for feed in FEEDS:
            here.erp.create(4, feed)
        async with here.running():
            await here.delivered(*FEEDS)
        assert sum(here.erp.counts.list_requests.values()) >= 9
        assert here.erp.counts.lists_at_once_at_most == 1
        await here.is_clean(*FEEDS, notifications=12)


async def test_the_erp_is_down_and_comes_back(kafka: Broker, tmp_path: Path) -> None:
    """Connections refused at start and again later: the feed backs off, says so, and recovers by itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    options = SandboxOptions(port=port)
    sandbox = options.sandbox()
    with scene(kafka, tmp_path, site={"base_url": f"http://127.0.0.1:{port}"}) as here:
        here.erp = sandbox
        async with here.running():
            assert "connection refused" in await here.tells(State.BACKING_OFF, "connect")
            async with serving(options, sandbox):
                sandbox.create(5, "order")
                await here.delivered()
            await here.tells(State.BACKING_OFF, "connect")
            sandbox.create(5, "order")
            async with serving(options, sandbox):
                await here.delivered()
        await here.is_clean(notifications=10)


@pytest.mark.parametrize("fault", [FaultKind.LOGIN_PAGE, FaultKind.DROP_BEFORE_ANSWER])
async def test_one_site_down_beside_another(fault: FaultKind, kafka: Broker, tmp_path: Path) -> None:
    """A site that does not answer, or answers with a web page, leaves the other site alone."""
    with scene(kafka, tmp_path) as here, scene(kafka, tmp_path) as other:
        here.settings["sites"] |= other.settings["sites"]
        other.has(fault)
        other.erp.create(3, "order")
        here.erp.create(3, "order")
        async with here.running():
            await here.until_true(lambda: other.erp.counts.list_requests["order"] > 1)
            await here.until_true(lambda: not here.erp.pending("order"))
            assert len(other.erp.pending("order")) == 3
            other.mend()
            await here.until_true(lambda: not other.erp.pending("order"))
        await here.is_clean(notifications=3)
        await other.is_clean(notifications=3)
