"""How records lie in the spool's file: runs of blocks, each block its SyncIDs, its lengths, then its records.

Must not know in what order records were listed, nor how much of them is kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from struct import Struct
from typing import IO, Final, NamedTuple

from connector.identity import content_hash
from connector.model import Notification

BLOCK_BYTES: Final = 32 * 1024
"""What is read at a time: of every run that overlaps others, one block is in memory."""
_HEAD: Final = Struct("<QQ")  # how many records, and their bytes
_NUMBER_BYTES: Final = 8


class Run(NamedTuple):
    """Blocks that lie one behind another and whose SyncIDs ascend."""

    first: int
    last: int
    start: int
    end: int


def append_run(file: IO[bytes], start: int, sync_ids: Sequence[int], records: Sequence[bytes]) -> Run:
    """Write records, one at least and in SyncID order, at the file's end, which is `start`.

    Raises:
        OSError: the file cannot be written.
    """
    file.seek(start)
    lengths = list(map(len, records))
    end = start
    for begin, stop in _blocks(lengths):
        block = b"".join(
            (
                _HEAD.pack(stop - begin, sum(lengths[begin:stop])),
                array("q", sync_ids[begin:stop]).tobytes(),
                array("q", lengths[begin:stop]).tobytes(),
                *records[begin:stop],
            )
        )
        file.write(block)
        end += len(block)
    return Run(sync_ids[0], sync_ids[-1], start, end)


def read_run(file: IO[bytes], run: Run) -> Iterator[Notification]:
    """The run's notifications in their order; other runs may be read in between.

    Raises:
        OSError: the file cannot be read.
    """
    position = run.start
    while position < run.end:
        file.seek(position)
        count, record_bytes = _HEAD.unpack(file.read(_HEAD.size))
        numbers = array("q", file.read(2 * count * _NUMBER_BYTES))
        records = file.read(record_bytes)
        for sync_id, (start, end) in zip(
            numbers[:count], pairwise(accumulate(numbers[count:], initial=0)), strict=True
        ):
            raw = records[start:end]
            yield Notification(sync_id, raw, content_hash(raw))
        position += _HEAD.size + numbers.itemsize * len(numbers) + record_bytes


def _blocks(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From which to which record a block goes; it holds one at least."""
    begin = size = 0
    for index, length in enumerate(lengths):
        if size and size + length > BLOCK_BYTES:
            yield begin, index
            begin, size = index, 0
        size += length
    yield begin, len(lengths)
