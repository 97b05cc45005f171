"""The sandbox's notifications: pending, history, truth, and both meanings of a list."""

from __future__ import annotations

from itertools import chain

import msgspec
import pytest

from connector.identity import content_hash
from connector.sandbox.answers import list_pieces
from connector.sandbox.faults import Fault, FaultKind, Met
from connector.sandbox.notifications import CienappsSandbox, ContentMeaning


def _listed(sandbox: CienappsSandbox, *kinds: FaultKind) -> bytes:
    met = Met({kind: Fault(kind=kind) for kind in kinds})
    return b"".join(list_pieces(sandbox, sandbox.listing("order", met), met))


def _twice_saved(sandbox: CienappsSandbox) -> list[int]:
    """SyncIDs of the paper that has the most pending notifications."""
    sandbox.create(200, "order")
    of: dict[str, list[int]] = {}
    for one in sandbox.pending("order"):
        of.setdefault(one.key, []).append(one.sync_id)
    return max(of.values(), key=len)


def _steps(sandbox: CienappsSandbox, sync_ids: list[int]) -> list[str]:
    shown = {one.sync_id: msgspec.json.decode(one.raw) for one in sandbox.pending("order")}
    return [shown[sync_id]["Order_Step_Desc"] for sync_id in sync_ids]


def test_sync_ids_are_one_space() -> None:
    """The three feeds share one ascending SyncID space."""
    sandbox = CienappsSandbox(first_sync_id=11)
    assert sandbox.create(60) == range(11, 71)
    feeds = {feed: [one.sync_id for one in sandbox.pending(feed)] for feed in ("order", "quotation", "workorder")}
    assert all(ids and ids == sorted(ids) for ids in feeds.values())
    assert sorted(chain(*feeds.values())) == list(range(11, 71))


def test_content_at_change() -> None:
    """Several notifications of one order show its successive contents."""
    sandbox = CienappsSandbox(content="at_change")
    sync_ids = _twice_saved(sandbox)
    steps = _steps(sandbox, sync_ids)
    assert len(set(steps)) > 1
    assert steps == sorted(steps)


def test_present_content() -> None:
    """With present content all pending notifications of one order show the same, each under its SyncID."""
    sandbox = CienappsSandbox(content="present")
    sync_ids = _twice_saved(sandbox)
    shown = {one.sync_id: msgspec.json.decode(one.raw) for one in sandbox.pending("order") if one.sync_id in sync_ids}
    assert len(sync_ids) > 2
    assert all(record["SyncID"] == sync_id for sync_id, record in shown.items())
    assert len({msgspec.json.encode(record | {"SyncID": 0}) for record in shown.values()}) == 1


@pytest.mark.parametrize(("content", "versions"), [("at_change", {1}), ("present", {1, 2})])
def test_truth_of_changed_content(content: ContentMeaning, versions: set[int]) -> None:
    """The truth has a hash for every content a notification was listed with."""
    sandbox = CienappsSandbox(content=content)
    sandbox.create(100, "order")
    before = _listed(sandbox)
    sandbox.create(100, "order")
    after = _listed(sandbox)
    assert {len(one.listed_hashes) for one in sandbox.truth()} == versions
    for body in (before, after):
        for raw in msgspec.json.decode(body, type=list[msgspec.Raw]):
            sync_id = msgspec.json.decode(raw)["SyncID"]
            assert content_hash(bytes(raw)) in sandbox.truth()[sync_id - 1].listed_hashes


def test_confirmed_keeps_its_content() -> None:
    """With present content, a confirmed notification keeps what it showed when it was confirmed."""
    sandbox = CienappsSandbox(content="present")
    ids = sandbox.create(50, "order")
    kept = {one.sync_id: one.raw for one in sandbox.pending("order")}
    assert sandbox.confirm(ids) == 50
    sandbox.create(200, "order")
    assert {one.sync_id: one.raw for one in sandbox.history("order")} == kept


def test_never_listed() -> None:
    """What no list showed has no hash in the truth."""
    sandbox = CienappsSandbox()
    sandbox.create(3)
    assert [one.listed_hashes for one in sandbox.truth()] == [(), (), ()]


def test_written_otherwise() -> None:
    """A record listed pretty-printed too is in the truth with the hashes of both its writings."""
    sandbox = CienappsSandbox()
    sandbox.create(1, "order")
    bodies = [_listed(sandbox), _listed(sandbox, FaultKind.PRETTY_PRINT)]
    hashes = {content_hash(bytes(msgspec.json.decode(body, type=list[msgspec.Raw])[0])) for body in bodies}
    assert len(hashes) == 2
    assert set(sandbox.truth()[0].listed_hashes) == hashes


def test_confirm_unknown_and_twice() -> None:
    """Confirms of unknown and of confirmed notifications are accepted, change nothing, and are counted."""
    sandbox = CienappsSandbox(clock=iter(range(100)).__next__)
    sandbox.create(2, "order")
    assert sandbox.confirm([1, 99]) == 1
    first_time = sandbox.history()[0].confirmed_at
    assert sandbox.confirm([1]) == 0
    assert (sandbox.history()[0].confirmed_at, sandbox.history()[0].confirms_received) == (first_time, 2)
    assert sandbox.counts.confirmed_unknown == {99: 1}


def test_given_records() -> None:
    """A given record is listed as it is, in SyncID order, with the next SyncID where it has none."""
    sandbox = CienappsSandbox()
    assert sandbox.add("order", {"Order_Number": 7, "SyncID": 40}) == 40
    assert sandbox.add("order", {"Order_Number": 8}) == 41
    assert sandbox.add("order", b'{ "SyncID" : 12, "Order_Number": 7 }') == 12
    assert _listed(sandbox) == (
        b'[{ "SyncID" : 12, "Order_Number": 7 },{"Order_Number":7,"SyncID":40},{"Order_Number":8,"SyncID":41}]'
    )
    assert sandbox.create(1) == range(42, 43)


def test_given_again() -> None:
    """A pending SyncID given again shows its new content; of another feed or a confirmed one it is refused."""
    sandbox = CienappsSandbox()
    sandbox.add("order", {"SyncID": 5, "Order_Title": "A"})
    sandbox.add("order", {"SyncID": 5, "Order_Title": "B"})
    assert _listed(sandbox) == b'[{"SyncID":5,"Order_Title":"B"}]'
    with pytest.raises(ValueError, match="in use"):
        sandbox.add("quotation", {"SyncID": 5})
    sandbox.confirm([5])
    with pytest.raises(ValueError, match="in use"):
        sandbox.add("order", {"SyncID": 5})


@pytest.mark.parametrize("sync_id", [b'"7"', b"7.0", b"true", b"null", b"-3"])
def test_given_without_usable_sync_id(sync_id: bytes) -> None:
    """A record without a usable SyncID is listed as given, and no confirm reaches it."""
    sandbox = CienappsSandbox()
    raw = b'{"SyncID":%b}' % sync_id
    handle = sandbox.add("order", raw)
    sandbox.confirm([handle])
    assert handle < 0
    assert _listed(sandbox) == b"[" + raw + b"]"


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ({}, [1, 2, 3, 4]),
        ({"seconds": 9}, [2, 3, 4]),
        ({"requests": 1}, [3, 4]),
        ({"seconds": 0, "requests": 1}, [4]),
    ],
)
def test_stale_list(limits: dict[str, float], shown: list[int]) -> None:
    """A stale list shows what was confirmed within so many seconds or requests, too."""
    now = [1000.0]
    sandbox = CienappsSandbox(clock=lambda: now[0])
    sandbox.create(4, "order")
    for sync_id, seconds in ((1, 1), (2, 4), (3, 5)):
        sandbox.confirm([sync_id])
        now[0] += seconds
        sandbox.counts.list_requests["order"] += 1
    met = Met({FaultKind.STALE_LIST: Fault.model_validate({"kind": "stale_list", **limits})})
    assert [one.sync_id for one in sandbox.listing("order", met)] == shown


def test_list_limit() -> None:
    """With a limit a list shows the oldest so many."""
    sandbox = CienappsSandbox(list_limit=3)
    sandbox.create(5, "order")
    assert [one.sync_id for one in sandbox.listing("order", Met())] == [1, 2, 3]


def test_odd_types_of_one_feed() -> None:
    """Odd types by switch meet so many saves of their feed."""
    sandbox = CienappsSandbox()
    sandbox.faults.replace([Fault(kind=FaultKind.ODD_TYPES, feed="workorder", times=1)])
    sandbox.create(40)
    plain = CienappsSandbox()
    plain.create(40)
    odd = [one.feed for one, same in zip(sandbox.truth(), plain.truth(), strict=True) if one.raw != same.raw]
    assert odd[0] == "workorder"
    assert sandbox.faults.states()[0].met == 1
