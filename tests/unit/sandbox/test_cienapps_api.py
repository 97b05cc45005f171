"""The sandbox's Cienapps as the ERP's document describes it, seen by a client over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec
import pytest

from connector.sandbox.documented import FEEDS, FeedName
from connector.sandbox.serve import SandboxOptions, Served, serving_in_thread


@pytest.fixture
def served() -> Iterator[Served]:
    with serving_in_thread(SandboxOptions()) as served:
        yield served


@pytest.fixture
def erp(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.base_url, headers={"ApiToken": "sandbox-token"}, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("feed", FEEDS)
def test_empty_list(erp: httpx.Client, feed: FeedName) -> None:
    """A list with nothing pending is an empty array."""
    answer = erp.get(f"/api/sync/{feed}/list")
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert answer.headers["content-type"].startswith("application/json")


def test_lists_share_the_sync_ids(served: Served, erp: httpx.Client) -> None:
    """Each list shows its own feed's records in SyncID order; together they are all."""
    served.sandbox.create(50)
    shown = {feed: [record["SyncID"] for record in erp.get(f"/api/sync/{feed}/list").json()] for feed in FEEDS}
    assert all(ids == sorted(ids) for ids in shown.values())
    assert sorted(shown["order"] + shown["quotation"] + shown["workorder"]) == list(range(1, 51))


def test_confirm(served: Served, erp: httpx.Client) -> None:
    """A confirm takes notifications of any feed off their lists and into the history."""
    served.sandbox.create(50)
    answer = erp.post("/api/sync/confirm", json={"SyncID": list(range(1, 41))})
    assert (answer.status_code, answer.json()) == (200, {"confirmed": 40})
    left = [record["SyncID"] for feed in FEEDS for record in erp.get(f"/api/sync/{feed}/list").json()]
    assert sorted(left) == list(range(41, 51))
    assert [one.sync_id for one in served.sandbox.history()] == list(range(1, 41))


def test_confirm_unknown(erp: httpx.Client) -> None:
    """A confirm of a SyncID that never was is accepted."""
    assert erp.post("/api/sync/confirm", json={"SyncID": [12345]}).json() == {"confirmed": 0}


@pytest.mark.parametrize("body", [b"{}", b'{"SyncID":11}', b'{"SyncID":["11"]}', b"[11]", b"nonsense"])
def test_confirm_of_another_shape(erp: httpx.Client, body: bytes) -> None:
    """A confirm that is not the documented object with an array of integers is refused."""
    answer = erp.post("/api/sync/confirm", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize("token", [None, "", "another"])
def test_wrong_token(served: Served, erp: httpx.Client, token: str | None) -> None:
    """Without the right key there is no list and no confirm."""
    served.sandbox.create(1, "order")
    headers = {} if token is None else {"ApiToken": token}
    for answer in (
        httpx.get(f"{served.base_url}/api/sync/order/list", headers=headers, trust_env=False),
        httpx.post(f"{served.base_url}/api/sync/confirm", json={"SyncID": [1]}, headers=headers, trust_env=False),
    ):
        assert answer.status_code == 401
    assert len(erp.get("/api/sync/order/list").json()) == 1


def test_read_only_key(served: Served, erp: httpx.Client) -> None:
    """A key without write permission sees the lists and may not confirm."""
    served.sandbox.create(3, "order")
    erp.headers["ApiToken"] = "sandbox-read-only"
    assert len(erp.get("/api/sync/order/list").json()) == 3
    assert erp.post("/api/sync/confirm", json={"SyncID": [1]}).status_code == 403
    assert len(erp.get("/api/sync/order/list").json()) == 3


def test_long_list(served: Served, erp: httpx.Client) -> None:
    """A long list arrives whole, in pieces, as the bytes that are pending."""
    served.sandbox.create(5000, "order")
    with erp.stream("GET", "/api/sync/order/list") as answer:
        body = b"".join(answer.iter_raw())
        assert answer.headers["transfer-encoding"] == "chunked"
    assert body == b"[" + b",".join(one.raw for one in served.sandbox.pending("order")) + b"]"
    assert len(msgspec.json.decode(body)) == 5000


def test_console(erp: httpx.Client) -> None:
    """The try-it console documents the four routes of the ERP and the fields of its tables."""
    assert "swagger" in erp.get("/docs").text
    description = erp.get("/openapi.json").json()
    assert {f"/api/sync/{feed}/list" for feed in FEEDS} | {"/api/sync/confirm"} <= description["paths"].keys()
    schemas = description["components"]["schemas"]
    assert schemas["WorkOrder"]["properties"]["WorkOrder_Team_Delivery"]["description"] == "Delivery team"
    assert schemas["Confirmation"]["examples"] == [{"SyncID": [11, 12, 13]}]
    assert description["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "ApiToken"
