"""Confirms that fail: the ERP keeps the notifications, Kafka gets them once, and news still flows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.model import State
from connector.sandbox.faults import Fault, FaultKind
from tests.brokers import Broker
from tests.integration.scene import Scene, scene


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """One feed with five orders pending."""
    with scene(kafka, tmp_path) as made:
        made.erp.create(5, "order")
        yield made


def on_confirm(kind: FaultKind, **needs: object) -> Fault:
    return Fault.model_validate({"kind": kind, "route": "confirm", **needs})


async def test_a_key_without_write_permission(here: Scene) -> None:
    """The feed is blocked and says why, news goes on being published once, and permission given mends it."""
    here.has(FaultKind.READ_ONLY_KEY)
    async with here.running():
        message = await here.tells(State.BLOCKED, "forbidden")
        assert "the API key may lack write permission" in message
        here.erp.create(3, "order")
        await here.until(lambda one: one["counts"]["published"] == 8)
        message = await here.tells(State.BLOCKED, "forbidden")
        found = await here.until(lambda one: one["pending"] == 8)
        assert found["lag_seconds"] > 0
        assert found["counts"]["confirmed"] == 0
        refused = await here.metric("confirm_failures_total", reason="forbidden")
        assert refused is not None
        assert refused >= found["counts"]["confirms_failed"]
        here.mend()
        await here.delivered()
        assert (await here.standing())["counts"]["published"] == 8
    await here.is_clean(notifications=8)


async def test_a_key_without_write_permission_does_not_load_the_list_in_a_loop(here: Scene) -> None:
    """Pulls that move nothing wait, and double their wait."""
    here.pace(no_progress_cap_seconds=300)
    here.has(FaultKind.READ_ONLY_KEY)
    async with here.running():
        await here.tells(State.BLOCKED, "forbidden")
        asked, begun = here.erp.counts.list_requests["order"], time.monotonic()
        await here.until_true(lambda: here.erp.counts.list_requests["order"] >= asked + 7)
        # Of seven waits the first may have begun before; jitter leaves half of each of the others at least.
        assert time.monotonic() - begun > 0.05 / 2 * (1 + 2 + 4 + 8 + 16 + 32)


async def test_a_key_that_is_withdrawn_between_list_and_confirm(here: Scene) -> None:
    """A confirm answered 401 blocks the feed with the same advice; what is published stays so."""
    here.has(on_confirm(FaultKind.INVALID_TOKEN))
    async with here.running():
        assert "the API key may lack write permission" in await here.tells(State.BLOCKED, "unauthorized")
        here.mend()
        await here.delivered()
    await here.is_clean(notifications=5)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (on_confirm(FaultKind.ERROR_STATUS), "http_5xx"),
        (on_confirm(FaultKind.THROTTLE), "http_429"),
        (on_confirm(FaultKind.DROP_BEFORE_ANSWER), "protocol"),
    ],
    ids=["503", "429", "dropped"],
)
async def test_a_confirm_that_fails(fault: Fault, reason: str, here: Scene) -> None:
    """It is tried again at the next pull; nothing is published a second time."""
    here.has(fault)
    async with here.running():
        assert "/api/sync/confirm" in await here.tells(State.BACKING_OFF, reason)
        found = await here.until(lambda one: one["counts"]["confirms_failed"] > 1)
        assert found["counts"]["published"] == 5
        assert found["counts"]["confirmed"] == 0
        assert len(here.erp.pending("order")) == 5
        here.mend()
        await here.delivered()
    await here.is_clean(notifications=5)


async def test_a_confirm_whose_answer_is_lost(here: Scene) -> None:
    """The ERP carried it out; the next list tells, and nobody has to do anything."""
    here.has(Fault(kind=FaultKind.CONFIRM_ANSWER_LOST, times=1))
    async with here.running():
        await here.delivered()
        found = await here.standing()
        assert found["counts"]["confirms_failed"] == 1
        assert found["counts"]["published"] == 5
    assert here.erp.counts.confirm_requests == 1
    await here.is_clean(notifications=5)


async def test_a_confirm_that_changes_nothing(here: Scene) -> None:
    """Accepted and without effect: the list is pulled again at growing intervals, and nothing is published twice."""
    here.has(FaultKind.CONFIRM_IGNORED)
    async with here.running():
        found = await here.until(lambda one: one["counts"]["deduplicated"] >= 10)
        assert found["counts"]["published"] == 5
        assert found["state"] == "delivering"
        here.mend()
        await here.delivered()
    await here.is_clean(notifications=5)


async def test_a_confirm_that_is_refused_in_part(here: Scene) -> None:
    """The ERP took four of five and answered 403: only the fifth is left, and it is confirmed when it may be."""
    here.has(Fault(kind=FaultKind.CONFIRM_REFUSED, sync_ids=(3,)))
    async with here.running():
        await here.tells(State.BLOCKED, "forbidden")
        await here.until(lambda one: one["pending"] == 1)
        assert [one.sync_id for one in here.erp.pending("order")] == [3]
        here.mend()
        await here.delivered()
    await here.is_clean(notifications=5)


async def test_confirms_are_never_made_where_the_setting_says_so(kafka: Broker, tmp_path: Path) -> None:
    """`confirm: never` publishes once and leaves the ERP as it was."""
    with scene(kafka, tmp_path, site={"confirm": "never"}) as here:
        here.erp.create(5, "order")
        async with here.running():
            await here.until(lambda one: one["counts"]["pulls"] >= 5 and one["state"] == "caught_up")
            assert (await here.standing())["counts"]["published"] == 5
        assert here.erp.counts.confirm_requests == 0
        assert len(await here.records(at_least=5)) == 5
        assert len(here.erp.pending("order")) == 5
