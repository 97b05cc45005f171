"""Invariant 7: planted names, phones and tokens come out in the records' values and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.encoding.reading import decode
from connector.encoding.schemas import load_schemas
from connector.model import State
from connector.sandbox.documented import FEEDS, KEY_FIELDS, TABLES, FeedName
from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.serve import SandboxOptions
from tests.brokers import Broker
from tests.fakes.raw_http import answer, raw_server
from tests.integration.scene import Scene, scene

CANARY = "c4n4ry"
TOKEN = "t0k3n-c4n4ry-of-the-erp"
ODD = f'{CANARY} "O\'Hara" <o.hara@{CANARY}.example> (418) 555-0142'


def planted(feed: FeedName, sync_id: int) -> dict[str, object]:
    """A record with a canary in every field, an unknown one and its name included; the business key is no secret."""
    fields: dict[str, object] = {name: f"{ODD} {name}" for name, *_ in TABLES[feed]}
    return fields | {KEY_FIELDS[feed]: "8812", ODD: [{ODD: ODD}], "SyncID": sync_id}


def bad(sync_id: int) -> bytes:
    """A record that no schema takes: a name of it stands there twice, with canaries about."""
    return f'{{"SyncID": {sync_id}, "{CANARY}": "{CANARY}", "{CANARY}": {json.dumps(ODD)}}}'.encode()


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """Three feeds, every field of which is planted, and a planted API key."""
    options = SandboxOptions(token=TOKEN)
    with scene(kafka, tmp_path, feeds=FEEDS, options=options, site={"token": TOKEN}) as made:
        made.settings["logs"]["level"] = "debug"
        yield made


async def seen_by_operators(here: Scene) -> str:
    """All that the endpoint answers."""
    return "".join([(await here.page(path)).text for path in ("/metrics", "/status", "/livez", "/readyz")])


async def test_planted_records(here: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    """Delivered, held by a bad one, refused on confirm, at the most talkative level: only values hold canaries."""
    for number, feed in enumerate(FEEDS):
        here.erp.add(feed, planted(feed, 1 + number))
    here.erp.add("order", bad(10))
    here.has(Fault(kind=FaultKind.CONFIRM_REFUSED, sync_ids=(2,)), Fault(kind=FaultKind.DROP_MID_BODY, times=2))
    pages = ""
    async with here.running():
        await here.tells(State.BLOCKED, "duplicate_key", "order")
        await here.tells(State.BLOCKED, "forbidden", "quotation")
        await here.delivered("workorder")
        pages += await seen_by_operators(here)
    pages += await seen_once_stopped(here, capfd)
    found = [record for feed in FEEDS for record in await here.records(feed, at_least=1)]
    for record in found:
        assert CANARY in json.dumps(decode(record.value or b"", load_schemas()), default=str)
        assert CANARY.encode() not in (record.key or b"") + b"".join(value for _, value in record.headers)
    assert len(found) == 3
    assert "duplicate_key" in pages
    assert CANARY not in pages.lower()


async def seen_once_stopped(here: Scene, capfd: pytest.CaptureFixture[str]) -> str:
    """All that was written meanwhile, which is something."""
    written = capfd.readouterr()
    assert here.site in written.err
    return written.out + written.err


FAULT_BODIES = {
    "not-an-array": (200, json.dumps({"error": ODD})),
    "not-json": (200, f"[{{'{ODD}'"),
    "truncated": (200, f'[{{"SyncID": 1, "Customer_Last_Name": "{CANARY}'),
    "a-string-inside": (200, json.dumps([ODD])),
    "no-sync-id": (200, json.dumps([{CANARY: ODD}])),
    "login-page": (200, f"<html><p>{ODD}</p></html>"),
    "401": (401, ODD),
    "500": (500, ODD),
}


@pytest.mark.parametrize("case", FAULT_BODIES)
async def test_planted_fault_bodies(
    case: str, kafka: Broker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What an ERP says when it fails is told nowhere: it may quote anything."""
    status, body = FAULT_BODIES[case]
    headers = {"X-Secret": CANARY, "Set-Cookie": f"session={CANARY}", "Location": f"https://{CANARY}.example/?k=1"}
    async with raw_server(answer(body.encode(), status, headers=headers)) as erp:
        base_url = f"http://127.0.0.1:{erp.port}"
        with scene(kafka, tmp_path, site={"base_url": base_url, "token": TOKEN}) as here:
            here.settings["logs"]["level"] = "debug"
            async with here.running():
                await here.until(lambda one: one["state"] in {"blocked", "backing_off"})
                pages = await seen_by_operators(here)
            pages += await seen_once_stopped(here, capfd)
    assert CANARY not in pages.lower()
