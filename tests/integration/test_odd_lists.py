"""Lists that are complete and odd: any order, repeats, what is confirmed, a byte order mark, undocumented types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.encoding.reading import decode
from connector.encoding.schemas import load_schemas
from connector.identity import from_header
from connector.model import State
from connector.ops.status import NONE_EVER_SEEN
from connector.sandbox.faults import Fault, FaultKind
from tests.brokers import Broker
from tests.fakes.listed import members
from tests.integration.scene import Scene, scene


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """One feed."""
    with scene(kafka, tmp_path) as made:
        yield made


@pytest.mark.parametrize("kind", [FaultKind.SHUFFLE, FaultKind.DESCENDING, FaultKind.REPEAT, FaultKind.BOM])
async def test_a_list_in_another_form(kind: FaultKind, here: Scene) -> None:
    """Unsorted, newest first, everything twice, with a byte order mark: each notification once, in SyncID order."""
    here.erp.create(120, "order")
    here.has(kind)
    async with here.running():
        await here.delivered()
        assert (await here.standing())["counts"]["sync_id_regressions"] == 0
    await here.is_clean(notifications=120)
    for partition in {record.partition for record in await here.records()}:
        sync_ids = [int(record.key) for record in await here.records() if record.partition == partition]
        assert sync_ids == sorted(sync_ids)


async def test_a_list_that_still_shows_what_is_confirmed(here: Scene) -> None:
    """It is confirmed again and not published again, and the feed is caught up once the list is fresh."""
    here.erp.create(20, "order")
    here.has(Fault(kind=FaultKind.STALE_LIST, requests=4))
    async with here.running():
        await here.until(lambda one: one["counts"]["deduplicated"] > 0)
        await here.delivered()
        assert (await here.standing())["counts"]["published"] == 20
    await here.is_clean(notifications=20)


async def test_a_list_that_still_shows_what_was_confirmed_before_a_restart(here: Scene) -> None:
    """The watermark stays behind for as long as a list may be stale, so the scan knows it all."""
    here.erp.create(20, "order")
    async with here.running():
        await here.delivered()
    here.has(FaultKind.STALE_LIST)
    async with here.running():
        found = await here.until(lambda one: one["counts"]["deduplicated"] >= 20)
        assert found["counts"]["published"] == 0
        here.mend()
        await here.delivered()
    await here.is_clean(notifications=20)


async def test_a_notification_whose_content_changes_while_it_is_pending(here: Scene) -> None:
    """One SyncID, two contents: both are published, in this order, and it is confirmed only then."""
    here.has(FaultKind.READ_ONLY_KEY)
    sync_id = here.erp.add("order", {"Order_Number": 8812, "Order_Step_Desc": "01 - MEASURED"})
    async with here.running():
        await here.until(lambda one: one["counts"]["published"] == 1)
        here.erp.add("order", {"Order_Number": 8812, "Order_Step_Desc": "02 - CUT", "SyncID": sync_id})
        await here.until(lambda one: one["counts"]["published"] == 2)
        here.mend()
        await here.delivered()
    [truth] = here.erp.truth()
    hashes = [from_header(dict(record.headers)["content-hash"]) for record in await here.records(at_least=2)]
    assert tuple(hashes) == truth.listed_hashes


async def test_the_same_content_in_other_bytes(here: Scene) -> None:
    """A list written otherwise is another content hash: what is pending then is published once more, and no more."""
    here.erp.create(5, "order")
    here.has(FaultKind.READ_ONLY_KEY)
    async with here.running():
        await here.until(lambda one: one["counts"]["published"] == 5)
        here.has(FaultKind.READ_ONLY_KEY, FaultKind.PRETTY_PRINT)
        await here.until(lambda one: one["counts"]["published"] == 10)
        here.mend()
        await here.delivered()
    assert len(await here.records(at_least=10)) == 10


async def test_the_module_is_off(here: Scene) -> None:
    """A feed that never showed a notification says what to ask; once one is shown, the hint is gone."""
    here.erp.create(5, "order")
    here.has(FaultKind.MODULE_OFF)
    async with here.running():
        found = await here.until(lambda one: one["counts"]["pulls"] > 2)
        assert (found["state"], found["hint"]) == (State.CAUGHT_UP, NONE_EVER_SEEN)
        assert NONE_EVER_SEEN == "none ever seen: is the module API Triggers Activation on?"
        here.mend()
        await here.delivered()
        assert (await here.standing())["hint"] is None
    await here.is_clean(notifications=5)


async def test_types_that_nobody_documented(here: Scene) -> None:
    """Every field of every record says what the ERP sent, or is null beside the raw text of it; drift is counted."""
    here.has(FaultKind.ODD_TYPES)
    here.erp.create(60, "order")
    schemas = load_schemas()
    nullable = {field.name for field in schemas["cienapps", "order"].fields if field.is_nullable}
    unparsed = unknown = 0
    async with here.running():
        await here.delivered()
        found = await here.standing()
    sent = {one.sync_id: one.raw.decode() for one in here.erp.truth()}
    for record in await here.records(at_least=60):
        fields = decode(record.value or b"", schemas)
        raw = members(sent[int(record.key or b"")])
        for name, text in raw.items():
            if name not in fields:
                assert fields["unknown_fields"][name] == text
                unknown += 1
            elif name in fields["unparsed_values"]:
                assert fields["unparsed_values"][name] == text
                assert fields[name] is None
                unparsed += 1
            else:
                assert (fields[name] is None) == (name in nullable and json.loads(text) is None), name
    assert found["counts"]["unknown_fields"] == unknown > 0
    assert unparsed >= found["counts"]["unparseable_values"] > 0  # "" and 0 for no date are no drift
    await here.is_clean(notifications=60)
