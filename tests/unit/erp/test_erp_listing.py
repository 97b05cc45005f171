"""Receiving a whole list, or nothing."""

from __future__ import annotations

import asyncio
import json
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.erp.listing import receive, shows_any
from connector.errors import BadNotification, ConnectorError, Retriable

FIELDS = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9), max_size=4)
LISTS = st.lists(
    st.builds(lambda sync_id, fields: fields | {"SyncID": sync_id}, st.integers(0, 50), FIELDS), max_size=30
)


async def portions(text: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


@given(LISTS, st.integers(1, 200))
def test_a_list_comes_out_whole_and_ascending(listed: list[dict[str, object]], size: int) -> None:
    """The same records, each with its exact bytes, by SyncID and then as listed."""
    records = [json.dumps(record, ensure_ascii=False).encode() for record in listed]

    async def received() -> list[tuple[int, bytes]]:
        listing = await receive(portions(b"[" + b",\n".join(records) + b"]", size), "GET /list")
        assert listing.count == len(records)
        found = [(one.sync_id, one.raw) for portion in listing.slices(5, 100) for one in portion]
        listing.close()
        return found

    expected = [(json.loads(raw)["SyncID"], raw) for raw in records]
    assert asyncio.run(received()) == sorted(expected, key=lambda one: one[0])


@given(LISTS, st.data())
def test_a_truncated_list_is_never_a_listing(listed: list[dict[str, object]], data: st.DataObject) -> None:
    """Wherever it ends: nothing of it counts."""
    text = json.dumps(listed).encode()
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Retriable):
        asyncio.run(receive(portions(text[:cut], 50), "GET /list"))


async def test_a_record_without_sync_id_does_not_fail_the_pull() -> None:
    """It is told when the list is read, where the loop can account for it."""
    listing = await receive(portions(b'[{"SyncID":2},{"SyncID":"3"}]', 10), "GET /list")
    assert (listing.count, listing.highest) == (2, 2)
    with pytest.raises(BadNotification, match="number 2 of 2"):
        next(listing.slices(10, 1000))
    listing.close()


@pytest.mark.parametrize(
    ("text", "shows"), [(b"[]", False), (b" [ ] ", False), (b"[{", True), (b'[{"SyncID":1}]', True)]
)
async def test_a_list_shows_something_or_nothing(text: bytes, *, shows: bool) -> None:
    """Known at the first record, or at the end of an empty list."""
    assert await shows_any(portions(text, 1), "GET /list") is shows


@pytest.mark.parametrize("text", [b"", b"[", b"[1", b"<html>", b"{}", b"[] x"])
async def test_what_is_no_list_shows_nothing(text: bytes) -> None:
    """It is an error, not an answer."""
    with pytest.raises(ConnectorError):
        await shows_any(portions(text, 1), "GET /list")


async def test_the_loop_is_shared_while_a_list_is_received() -> None:
    """Even where the bytes are there at once, others get their turn between pieces."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    text = b"[" + b",".join([b'{"SyncID":1,"a":"' + b"x" * 1000 + b'"}'] * 3000) + b"]"
    task = asyncio.create_task(other())
    listing = await receive(portions(text, 65536), "GET /list")
    task.cancel()
    listing.close()
    assert turns >= 15


async def test_memory_stays_flat_while_an_unsorted_list_is_received() -> None:
    """100,000 records in any order, 34 MB of them, pass through a few megabytes and the spool's sixteen."""
    sync_ids = list(range(100_000))
    random.Random(5).shuffle(sync_ids)  # noqa: S311  an order that is the same every time
    rest = b',"a":"' + b"x" * 320 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        yield b"["
        for start in range(0, len(sync_ids), 100):
            comma = b"," if start else b""
            yield comma + b",".join(b'{"SyncID":%d' % sync_id + rest for sync_id in sync_ids[start : start + 100])
        yield b"]"

    tracemalloc.start()
    try:
        listing = await receive(chunks(), "GET /list")
        assert [one.sync_id for portion in listing.slices(5000, 1 << 22) for one in portion] == sorted(sync_ids)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    listing.close()
    # The spool's own 16 MiB once more while it moves to disk, the list of numbers above, and what is in hand.
    assert peak < 40 * 1024 * 1024
