"""Where the ERP's document can be read in two ways: nothing is lost or doubled in either."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from connector.identity import from_header
from connector.sandbox.serve import SandboxOptions
from tests.brokers import Broker
from tests.integration.scene import scene


async def test_a_list_that_shows_a_few_at_a_time(kafka: Broker, tmp_path: Path) -> None:
    """A backlog behind a capped list is drained without waiting between lists."""
    site = {"poll_interval_seconds": 60}
    with scene(kafka, tmp_path, options=SandboxOptions(list_limit=10), site=site) as here:
        here.erp.create(95, "order")
        async with here.running():
            await here.delivered()
        await here.is_clean(notifications=95)


@pytest.mark.parametrize("content", ["at_change", "present"])
async def test_both_meanings_of_a_list(content: Literal["at_change", "present"], kafka: Broker, tmp_path: Path) -> None:
    """The order as it was changed, or as it is: what a list showed is in Kafka once, and is confirmed."""
    with scene(kafka, tmp_path, options=SandboxOptions(content=content)) as here:
        async with here.running():
            for _ in range(4):
                here.erp.create(30, "order")
                await here.delivered()
        truth = here.erp.truth()
        shown = {(one.sync_id, digest) for one in truth for digest in one.listed_hashes}
        records = await here.records(at_least=120)
        seen = Counter((int(one.key or b""), from_header(dict(one.headers)["content-hash"])) for one in records)
        assert max(seen.values()) == 1
        assert seen.keys() <= shown
        assert {sync_id for sync_id, _ in seen} == {one.sync_id for one in truth}
        assert all(one.confirmed_at is not None for one in truth)


async def test_somebody_else_confirms(kafka: Broker, tmp_path: Path) -> None:
    """What another consumer took before our list never comes; what it took after it is there all the same."""
    with scene(kafka, tmp_path, site={"confirm": "never"}) as here:
        here.erp.create(10, "order")
        here.erp.confirm([1, 2])
        async with here.running():
            await here.until(lambda one: one["counts"]["published"] == 8)
            here.erp.confirm(range(3, 11))
            await here.delivered()
        assert sorted(int(one.key or b"") for one in await here.records(at_least=8)) == list(range(3, 11))
