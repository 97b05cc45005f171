"""The sandbox's own routes, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec
import pytest

from connector.identity import content_hash
from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.serve import SandboxOptions, Served, serving_in_thread

_LIST = "/api/sync/order/list"


@pytest.fixture
def served() -> Iterator[Served]:
    with serving_in_thread(SandboxOptions()) as served:
        yield served


@pytest.fixture
def console(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.base_url, headers={"ApiToken": "sandbox-token"}, trust_env=False) as client:
        yield client


def test_create_notifications(console: httpx.Client) -> None:
    """The business saves as many papers of a feed as one asks for."""
    answer = console.post("/sandbox/notifications", json={"count": 5, "feed": "order"})
    assert (answer.status_code, answer.json()) == (201, {"count": 5, "first_sync_id": 1, "last_sync_id": 5})
    assert len(console.get(_LIST).json()) == 5


def test_add_records(console: httpx.Client) -> None:
    """Given records are listed; one with a SyncID that is in use is refused."""
    records = [{"Order_Number": 1, "SyncID": 11}, {"Order_Number": 2}]
    assert console.post("/sandbox/notifications", json={"feed": "order", "records": records}).json()["count"] == 2
    assert console.get(_LIST).json() == [records[0], records[1] | {"SyncID": 12}]
    taken = console.post("/sandbox/notifications", json={"feed": "quotation", "records": [{"SyncID": 11}]})
    assert taken.status_code == 409


@pytest.mark.parametrize("wrong", [{}, {"count": 1, "records": []}, {"records": [{}]}, {"count": 0}, {"feed": "order"}])
def test_create_nothing_clear(console: httpx.Client, wrong: dict[str, object]) -> None:
    """A request that says neither or both of what to create is refused."""
    assert console.post("/sandbox/notifications", json=wrong).status_code == 422


def test_tick(console: httpx.Client) -> None:
    """The business goes on by so many saves."""
    console.post("/sandbox/tick", json={"steps": 30})
    stats = console.get("/sandbox/stats").json()
    assert stats["created"] == sum(stats["pending"].values()) == 30


def test_faults(console: httpx.Client) -> None:
    """Faults are switched on, shown with what they did, and off."""
    on = console.put("/sandbox/faults", json=[{"kind": "error_status", "status": 500, "times": 2}])
    assert on.json()[0]["remaining"] == 2
    assert console.post("/sandbox/faults", json={"kind": "latency", "seconds": 0}).status_code == 201
    assert console.get(_LIST).status_code == 500
    shown = console.get("/sandbox/faults").json()
    assert [(state["fault"]["kind"], state["met"]) for state in shown] == [("error_status", 1), ("latency", 1)]
    assert len(console.delete("/sandbox/faults", params={"kind": "error_status"}).json()) == 1
    assert console.delete("/sandbox/faults").json() == []
    assert console.get(_LIST).status_code == 200


def test_shown_faults_can_be_put_back(console: httpx.Client) -> None:
    """What GET shows of a fault is what PUT takes."""
    console.put("/sandbox/faults", json=[{"kind": "confirm_refused", "sync_ids": [3]}, {"kind": "bom"}])
    faults = [state["fault"] for state in console.get("/sandbox/faults").json()]
    again = console.put("/sandbox/faults", json=faults)
    assert [state["fault"] for state in again.json()] == faults


def test_impossible_fault(console: httpx.Client) -> None:
    """A fault that cannot be carried out is refused with the reason."""
    answer = console.put("/sandbox/faults", json=[{"kind": "latency"}])
    assert answer.status_code == 422
    assert "needs seconds" in answer.text


def test_history(console: httpx.Client) -> None:
    """The history shows confirmed notifications with their records and times, the latest first."""
    console.post("/sandbox/notifications", json={"count": 4, "feed": "order"})
    listed = console.get(_LIST).json()
    console.post("/api/sync/confirm", json={"SyncID": [3, 1, 2]})
    history = console.get("/sandbox/history", params={"feed": "order", "limit": 2}).json()
    assert [one["record"] for one in history] == [listed[1], listed[0]]
    assert all(one["confirmed_at"].endswith("Z") for one in history)
    assert console.get("/sandbox/history", params={"feed": "quotation"}).json() == []


def test_truth(console: httpx.Client) -> None:
    """The truth has every notification, the hash of what was listed, and its confirms."""
    console.post("/sandbox/notifications", json={"count": 1200, "feed": "order"})
    raws = msgspec.json.decode(console.get(_LIST).content, type=list[msgspec.Raw])
    console.post("/sandbox/notifications", json={"count": 1, "feed": "order"})
    for _ in range(2):
        console.post("/api/sync/confirm", json={"SyncID": [1]})
    truth = console.get("/sandbox/truth", params={"feed": "order"}).json()
    assert [one["sync_id"] for one in truth] == list(range(1, 1202))
    assert [one["listed"] for one in truth] == [[content_hash(bytes(raw)).hex()] for raw in raws] + [[]]
    assert (truth[0]["confirms_received"], truth[1]["confirms_received"]) == (2, 0)
    assert truth[1]["confirmed_at"] is None


def test_stats(console: httpx.Client) -> None:
    """The counts tell requests, answers, and confirms that came more than once or for nothing."""
    console.post("/sandbox/notifications", json={"count": 3, "feed": "order"})
    console.get(_LIST)
    console.get(_LIST, headers={"ApiToken": "wrong"})
    for sync_ids in ([1, 2], [2, 77]):
        console.post("/api/sync/confirm", json={"SyncID": sync_ids})
    assert console.get("/sandbox/stats").json() == {
        "created": 3,
        "pending": {"order": 1, "quotation": 0, "workorder": 0},
        "confirmed": {"order": 2, "quotation": 0, "workorder": 0},
        "list_requests": {"order": 2, "quotation": 0, "workorder": 0},
        "lists_at_once_at_most": 1,
        "confirm_requests": 2,
        "confirmed_more_than_once": {"2": 2},
        "confirmed_unknown": {"77": 1},
        "answers": {"200": 3, "401": 1},
    }


def test_lists_at_once(served: Served, console: httpx.Client) -> None:
    """Lists asked for while another is still being received count as at once."""
    served.sandbox.create(20_000, "order")
    with console.stream("GET", _LIST), console.stream("GET", "/api/sync/quotation/list"):
        assert console.get("/sandbox/stats").json()["lists_at_once_at_most"] == 2


def test_list_given_up(served: Served, console: httpx.Client) -> None:
    """A list whose client closed the connection no longer counts."""
    served.sandbox.create(300, "order")
    served.sandbox.faults.replace([Fault(kind=FaultKind.SLOW_BODY, seconds=60)])
    for _ in range(3):
        with console.stream("GET", _LIST):
            pass
    assert console.get("/sandbox/stats").json()["lists_at_once_at_most"] == 1
