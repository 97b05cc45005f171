"""Keeps a list of any length, listed in any order, and gives it back in SyncID order, in flat memory.

Must not know HTTP or JSON. It is an external merge sort in one temporary file: records are collected up to a few
megabytes, sorted, and written as a run; a run that begins where the one before it ended lengthens that one, so an
ascending list is a single run and nothing is ever merged; runs that overlap are merged while they are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from tempfile import SpooledTemporaryFile
from typing import Final

from connector.erp.parsing import NO_SYNC_ID
from connector.erp.runs import Run, append_run, read_run
from connector.erp.splitting import Piece
from connector.errors import BadNotification, Blocked
from connector.model import Notification

MEMORY_BYTES: Final = 16 * 1024 * 1024
RUN_RECORDS: Final = 5000
RUN_BYTES: Final = 4 * 1024 * 1024


class Spool:
    """Takes pieces in listed order; is a `Listing` once it is sealed.

    Args:
        where: what was received, for messages.
        memory_bytes: beyond that it lies on disk, in the system's directory for temporary files.
        run_records: how many records are sorted at a time.
        run_bytes: and how many bytes of them.
    """

    def __init__(
        self,
        where: str,
        *,
        memory_bytes: int = MEMORY_BYTES,
        run_records: int = RUN_RECORDS,
        run_bytes: int = RUN_BYTES,
    ) -> None:
        self._where = where
        self._file = SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115  lives as long as the listing
        self._run_records = run_records
        self._run_bytes = run_bytes
        self._runs: list[Run] = []
        self._sync_ids: list[int] = []
        self._records: list[bytes] = []
        self._waiting_bytes = 0
        self._first_unidentified = 0
        self._count = 0
        self._highest = NO_SYNC_ID

    @property
    def count(self) -> int:
        """How many notifications the list shows, those without a usable SyncID included."""
        return self._count

    @property
    def highest(self) -> int | None:
        """The highest SyncID it shows, None when there is none."""
        return None if self._highest == NO_SYNC_ID else self._highest

    def add(self, piece: Piece) -> None:
        """Take the next records.

        Raises:
            Blocked: spool; the temporary file cannot be written.
        """
        if NO_SYNC_ID in piece.sync_ids and not self._first_unidentified:
            self._first_unidentified = self._count + piece.sync_ids.index(NO_SYNC_ID) + 1
        self._count += len(piece.records)
        self._sync_ids += piece.sync_ids
        self._records += piece.records
        self._waiting_bytes += sum(map(len, piece.records))
        if len(self._records) >= self._run_records or self._waiting_bytes >= self._run_bytes:
            self._write_run()

    def seal(self) -> None:
        """The list is complete.

        Raises:
            Blocked: spool; the temporary file cannot be written.
        """
        if self._records:
            self._write_run()

    def slices(self, max_records: int, max_bytes: int) -> Iterator[list[Notification]]:
        """Its notifications in SyncID order (listed order within one SyncID), in portions.

        Raises:
            BadNotification: no_sync_id; it has no place in the order, so none of the list can be published.
            Blocked: spool; the temporary file cannot be read.
        """
        if self._first_unidentified:
            message = (
                f"{self._where} shows a notification without a usable SyncID (number {self._first_unidentified} of"
                f" {self._count}): it has no place in the order, so none of the list is published."
                " SyncID must be a JSON integer from 0 to 2^63 - 1: have it mended or taken away in the ERP"
            )
            raise BadNotification("no_sync_id", message, sync_id=None)
        with _mapped("read"):
            yield from _portions(self._ordered(), max_records, max_bytes)

    def close(self) -> None:
        """Give the spool's memory and disk back; allowed more than once."""
        self._file.close()

    def _write_run(self) -> None:
        sync_ids, records = self._sync_ids, self._records
        self._sync_ids, self._records, self._waiting_bytes = [], [], 0
        if sync_ids != sorted(sync_ids):
            order = sorted(range(len(sync_ids)), key=sync_ids.__getitem__)
            sync_ids = [sync_ids[index] for index in order]
            records = [records[index] for index in order]
        before = self._runs[-1] if self._runs else None
        with _mapped("written"):
            run = append_run(self._file, before.end if before else 0, sync_ids, records)
        if before and before.last <= run.first:
            self._runs[-1] = Run(before.first, run.last, before.start, run.end)
        else:
            self._runs.append(run)
        self._highest = max(self._highest, run.last)

    def _ordered(self) -> Iterator[Notification]:
        """All notifications; runs that do not overlap are read one after another, the others merged."""
        group: list[Run] = []
        reached = NO_SYNC_ID
        for run in sorted(self._runs, key=attrgetter("first")):  # stable: of equal ones the first listed is first
            if group and run.first > reached:
                yield from self._merged(group)
                group = []
            group.append(run)
            reached = max(reached, run.last)
        yield from self._merged(group)

    def _merged(self, group: list[Run]) -> Iterator[Notification]:
        """Listed order within one SyncID: the merge is stable, and runs lie in the file as they were listed."""
        if len(group) == 1:
            return read_run(self._file, group[0])
        listed = sorted(group, key=attrgetter("start"))
        return heapq.merge(*(read_run(self._file, run) for run in listed), key=attrgetter("sync_id"))


def _portions(notifications: Iterable[Notification], max_records: int, max_bytes: int) -> Iterator[list[Notification]]:
    """Portions within the bounds, except that one SyncID's notifications stay together."""
    portion: list[Notification] = []
    size = 0
    for notification in notifications:
        length = len(notification.raw)
        is_full = len(portion) >= max_records or size + length > max_bytes
        if is_full and portion and notification.sync_id != portion[-1].sync_id:
            yield portion
            portion, size = [], 0
        portion.append(notification)
        size += length
    if portion:
        yield portion


@contextmanager
def _mapped(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = (
            f"the temporary file of the list cannot be {what} ({error.strerror or type(error).__name__}):"
            " give the directory for temporary files (TMPDIR) room for the whole list"
        )
        raise Blocked("spool", message) from error
