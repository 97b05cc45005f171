"""One notification that cannot be a record holds its feed there: nothing behind it is published, others go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.model import State
from tests.brokers import Broker
from tests.integration.scene import Scene, scene

FEEDS = ("order", "quotation")


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """Two feeds of one site."""
    with scene(kafka, tmp_path, feeds=FEEDS) as made:
        yield made


@pytest.mark.parametrize(
    "sync_id", [b"", b'"SyncID": "4",', b'"SyncID": 4.0,', b'"SyncID": null,'], ids=["missing", "text", "float", "null"]
)
async def test_a_notification_without_a_usable_sync_id(sync_id: bytes, here: Scene) -> None:
    """It has no place in the order: its list is not published, the other feed is, and taking it away mends it."""
    here.erp.create(3, "order")
    bad = here.erp.add("order", b"{" + sync_id + b'"Order_Number": 8812}')
    here.erp.create(3, "order")
    here.erp.create(4, "quotation")
    async with here.running():
        message = await here.tells(State.BLOCKED, "no_sync_id")
        assert "number 1 of 7" in message or "number 4 of 7" in message
        await here.delivered("quotation")
        found = await here.standing()
        assert (found["counts"]["published"], found["counts"]["confirmed"]) == (0, 0)
        assert found["pending"] == 7
        assert await here.metric("records_abandoned_total", reason="no_sync_id") != 0
        with here.erp.lock:
            del here.erp._pending["order"][bad]  # by hand, in the ERP
        await here.delivered(*FEEDS)
    await here.is_clean(*FEEDS, notifications=10)


async def test_a_bad_notification_in_the_middle(here: Scene) -> None:
    """What stands before it is delivered, nothing from it on is, and the message names it; mended, all flows."""
    here.erp.create(3, "order")
    bad = here.erp.add("order", b'{"SyncID": 4, "Order_Number": 8812, "Order_Title": "A", "Order_Title": "B"}')
    here.erp.create(3, "order")
    here.erp.create(4, "quotation")
    async with here.running():
        message = await here.tells(State.BLOCKED, "duplicate_key")
        assert "SyncID 4" in message
        assert "Order_Title" in message
        await here.until(lambda one: one["pending"] == 4 and one["counts"]["confirmed"] == 3)
        await here.delivered("quotation")
        assert sorted(int(record.key or b"") for record in await here.records(at_least=3)) == [1, 2, 3]
        assert [one.sync_id for one in here.erp.pending("order")] == [4, 5, 6, 7]
        here.erp.add("order", {"SyncID": bad, "Order_Number": 8812, "Order_Title": "B"})
        await here.delivered(*FEEDS)
    await here.is_clean(*FEEDS, notifications=11)


async def test_a_bad_notification_stays_in_the_way_of_news(here: Scene) -> None:
    """What comes behind it waits, counted in the gauge of what is pending, while the lag grows."""
    here.erp.add("order", b'{"SyncID": 1, "Order_Number": 8812, "Order_Title": "A", "Order_Title": "B"}')
    async with here.running():
        assert "SyncID 1" in await here.tells(State.BLOCKED, "duplicate_key")
        before = await here.metric("feed_lag_seconds")
        here.erp.create(5, "order")
        await here.until(lambda one: one["pending"] == 6)
        after = await here.metric("feed_lag_seconds")
        assert before is not None
        assert after is not None
        assert after > before
        assert await here.metric("feed_pending_records") == 6
        assert await here.records() == []
