"""What comes out of the spool, in which order and portions."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.erp.parsing import NO_SYNC_ID
from connector.erp.splitting import Piece
from connector.erp.spool import Spool
from connector.errors import BadNotification, Blocked
from connector.identity import content_hash
from connector.model import Notification

LISTED = st.lists(st.tuples(st.integers(0, 30), st.binary(min_size=2, max_size=8)), max_size=60)


def spool_of(listed: list[tuple[int, bytes]], *, piece_records: int = 3, **options: int) -> Spool:
    spool = Spool("GET /list at erp.example", **options)
    for start in range(0, len(listed), piece_records):
        piece = listed[start : start + piece_records]
        spool.add(Piece([raw for _, raw in piece], [sync_id for sync_id, _ in piece]))
    spool.seal()
    return spool


def all_of(spool: Spool) -> list[tuple[int, bytes]]:
    return [(one.sync_id, one.raw) for portion in spool.slices(7, 1000) for one in portion]


@given(LISTED, st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 50, 10_000]))
def test_any_order_comes_out_in_sync_id_order(
    listed: list[tuple[int, bytes]], piece_records: int, run_records: int, memory_bytes: int
) -> None:
    """Ascending, and in listed order within one SyncID, whatever the runs and wherever they lie."""
    spool = spool_of(listed, piece_records=piece_records, run_records=run_records, memory_bytes=memory_bytes)
    assert all_of(spool) == sorted(listed, key=lambda one: one[0])
    assert spool.count == len(listed)
    assert spool.highest == max((sync_id for sync_id, _ in listed), default=None)
    assert all_of(spool) == sorted(listed, key=lambda one: one[0])  # it can be read again
    spool.close()


def test_runs_that_touch_at_one_sync_id_keep_its_listed_order() -> None:
    """The later content of an order must not come before the earlier one."""
    listed = [(5, b"first"), (4, b"{}"), (5, b"second")]
    spool = spool_of(listed, piece_records=1, run_records=1)
    assert all_of(spool) == [(4, b"{}"), (5, b"first"), (5, b"second")]
    spool.close()
    spool = Spool("GET /list", run_records=1)
    spool.add(Piece([b"first"], [5]))
    spool.add(Piece([b"{}", b"second"], [4, 5]))
    spool.seal()
    assert all_of(spool) == [(4, b"{}"), (5, b"first"), (5, b"second")]
    spool.close()


@given(LISTED, st.integers(1, 9), st.integers(1, 40))
def test_portions_keep_to_their_bounds(listed: list[tuple[int, bytes]], max_records: int, max_bytes: int) -> None:
    """A portion exceeds a bound only to keep one SyncID's notifications together, or to hold at least one."""
    spool = spool_of(listed, run_records=5)
    portions = list(spool.slices(max_records, max_bytes))
    spool.close()
    assert all(portions)
    for portion in portions:
        without_last_id = [one for one in portion if one.sync_id != portion[-1].sync_id]
        if without_last_id:
            assert len(without_last_id) < max_records
            assert sum(len(one.raw) for one in without_last_id) <= max_bytes
    ids_of_portions = [{one.sync_id for one in portion} for portion in portions]
    assert sum(map(len, ids_of_portions)) == len({sync_id for sync_id, _ in listed})


def test_a_notification_knows_its_content_hash() -> None:
    """It is the one of its bytes as listed."""
    spool = spool_of([(4, b'{"SyncID": 4}')])
    assert list(spool.slices(10, 1000)) == [[Notification(4, b'{"SyncID": 4}', content_hash(b'{"SyncID": 4}'))]]
    spool.close()


def test_an_ascending_list_is_a_single_run() -> None:
    """Nothing is merged, and the index stays one entry long."""
    spool = spool_of([(sync_id // 2, b"{}") for sync_id in range(1000)], run_records=10)
    assert len(spool._runs) == 1
    spool.close()


def test_a_notification_without_sync_id_comes_before_everything() -> None:
    """It counts, but none of the list is given: its place in the order is unknown."""
    spool = spool_of([(1, b"{}"), (2, b"{}"), (3, b"{}"), (NO_SYNC_ID, b'{"name":"x"}'), (4, b"{}")])
    assert (spool.count, spool.highest) == (5, 4)
    with pytest.raises(BadNotification, match="number 4 of 5") as raised:
        next(spool.slices(1, 1))
    assert (raised.value.reason, raised.value.sync_id) == ("no_sync_id", None)
    assert "name" not in raised.value.message
    spool.close()


def test_a_list_of_nothing_but_notifications_without_sync_id_has_no_highest() -> None:
    """There is none to tell."""
    spool = spool_of([(NO_SYNC_ID, b"{}")])
    assert (spool.count, spool.highest) == (1, None)
    spool.close()


def test_an_empty_list_has_no_portions() -> None:
    """Not even an empty one."""
    spool = spool_of([])
    assert (spool.count, spool.highest, list(spool.slices(5, 5))) == (0, None, [])
    spool.close()
    spool.close()


def test_a_temporary_directory_without_room_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the setting, and nothing counts."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    spool = Spool("GET /list", memory_bytes=1, run_records=1)
    with pytest.raises(Blocked, match="TMPDIR") as raised:
        spool.add(Piece([b'{"SyncID":1}'], [1]))
    assert raised.value.reason == "spool"
    spool.close()


def test_closing_gives_the_file_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has no name while it is open, and cannot be read afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = spool_of([(1, b"{}")], memory_bytes=1)
    assert list(tmp_path.iterdir()) == []
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        next(spool.slices(1, 1))


def test_memory_stays_flat_for_a_long_unsorted_list() -> None:
    """200,000 records in any order, 60 MB of them, take a few megabytes beside the spool's own file."""
    count = 200_000
    sync_ids = list(range(count))
    random.Random(7).shuffle(sync_ids)  # noqa: S311  an order that is the same every time
    record = b"x" * 300

    def pieces() -> Iterator[Piece]:
        for start in range(0, count, 200):
            piece = sync_ids[start : start + 200]
            yield Piece([b"%d" % sync_id + record for sync_id in piece], piece)

    spool = Spool("GET /list", memory_bytes=1024 * 1024)
    tracemalloc.start()
    try:
        for piece in pieces():
            spool.add(piece)
        spool.seal()
        seen = -1
        for portion in spool.slices(5000, 4 * 1024 * 1024):
            assert portion[0].sync_id == seen + 1
            seen = portion[-1].sync_id
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        spool.close()
    assert seen == count - 1
    assert peak < 16 * 1024 * 1024
