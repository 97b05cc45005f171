"""THE loop: pull, encode, publish, settle, confirm.

Must not know HTTP, Avro or Kafka: it sees them through the protocols of `connector.parts`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing

from connector.confirming import Confirms
from connector.errors import BadNotification, Blocked, ConnectorError, Retriable, SessionLost
from connector.model import Notification, Point, Record, State
from connector.pacing import Clock, Pace
from connector.parts import Listing, Partitions, Parts
from connector.standing import Progress, Standing

_BEAT_SECONDS = 10.0
_KEY_BYTES = 8  # of a record, for each character of its business key: it stands in two headers, in UTF-8


class Delivery:
    """Carries one feed from its source to Kafka until stopped.

    Args:
        parts: the feed's source, encoder, publisher, journal and observer.
        pace: the figures.
        clock: the time.
        confirm: False leaves the ERP untouched (`confirm: never`).
        reached: told every named point; for tests that end the process there.
    """

    def __init__(
        self,
        parts: Parts,
        pace: Pace,
        clock: Clock,
        *,
        confirm: bool = True,
        reached: Callable[[Point], None] = lambda _point: None,
    ) -> None:
        self._source = parts.source
        self._encoder = parts.encoder
        self._publisher = parts.publisher
        self._journal = parts.journal
        self._observer = parts.observer
        self._pace = pace
        self._clock = clock
        self._confirm = confirm
        self._reached = reached
        self._standing = Standing(parts.observer, pace, clock.now, confirm=confirm)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._must_finish = False
        self._kept_alive_at: float | None = None
        self._offered_at = clock.monotonic()

    def stop(self) -> None:
        """Leave: at once, or after the slice in hand is acked and confirmed."""
        self._stop.set()
        if self._task is not None and not self._must_finish:
            self._task.cancel()

    async def run(self) -> None:
        """Deliver until stopped.

        Raises:
            Fatal: the process has to leave.
        """
        self._task = asyncio.current_task()
        self._observer.state(State.STARTING)
        try:
            while not self._stop.is_set():
                await self._pause(await self._look())
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
        finally:
            self._observer.state(State.STOPPED)

    async def _look(self) -> float:
        """Hold a session when the feed offers something; returns the seconds to wait then."""
        begun = self._clock.monotonic()
        try:
            if not await self._source.offers():
                self._observer.pulled(0, self._clock.monotonic() - begun)
                self._standing.pulled()
                self._standing.caught_up()
                if not self._keep_alive_is_due():
                    return self._pace.poll_interval_seconds
        except (Retriable, Blocked) as error:
            self._observer.pull_failed(error.reason)
            return self._standing.setback(error)
        try:
            await self._session()
        except (Blocked, SessionLost) as error:
            return self._standing.setback(error)
        return self._pace.poll_interval_seconds

    async def _session(self) -> None:
        """Fence, scan, then listings until idle, stopped, or the first Kafka error."""
        reason = "crashed"
        self._observer.session_started()
        try:
            await self._open()
            await self._listings()
            reason = "idle"
        except ConnectorError as error:
            reason = error.reason
            raise
        except asyncio.CancelledError:
            reason = "stopped"
            raise
        finally:
            await self._close_session()
            self._observer.session_ended(reason)

    async def _close_session(self) -> None:
        self._must_finish = True
        try:
            await self._journal.close()
        finally:
            await self._publisher.discard()
            self._must_finish = False

    async def _open(self) -> None:
        """Fence every older instance, then read what they left (Invariant 4: in this order)."""
        partitions = await self._fence()
        self._reached(Point.AFTER_FENCE)
        await self._scan(partitions)

    async def _fence(self) -> Partitions:
        return await self._publisher.fence()

    async def _scan(self, partitions: Partitions) -> None:
        begun = self._clock.monotonic()
        records = await self._journal.scan(partitions)
        self._kept_alive_at = self._clock.monotonic()
        self._observer.scanned(records, self._kept_alive_at - begun)
        self._observer.restored(self._journal.caught_up_at)

    async def _listings(self) -> None:
        begun = self._offered_at = self._clock.monotonic()
        while not self._stop.is_set():
            wait = await self._listing()
            self._observer.watermark_lag(await self._journal.mark(caught_up_at=self._standing.caught_up_at))
            now = self._clock.monotonic()
            is_idle = now - self._offered_at > self._pace.idle_session_seconds
            if is_idle or now - begun > self._pace.session_seconds:
                break
            await self._pause(wait)
        self._observer.watermark_lag(await self._journal.mark(caught_up_at=self._standing.caught_up_at, force=True))

    async def _listing(self) -> float:
        """Pull one listing and carry it through; returns the seconds to wait before the next."""
        begun = self._clock.monotonic()
        try:
            # Invariant 4: pulled after the scan; the list that began the session may show what was confirmed since.
            listing = await self._source.pull()
        except (Retriable, Blocked) as error:
            self._observer.pull_failed(error.reason)
            return self._standing.setback(error)
        self._standing.pulled()
        pulled_at = self._clock.monotonic()
        self._observer.pulled(listing.count, pulled_at - begun)
        confirms = Confirms(self._source, self._journal, self._observer, self._reached)
        progress = Progress(listing.count, pulled_at, self._clock.now())
        with closing(listing):
            bad = await self._carry_accounted(listing, progress, confirms)
        return self._standing.after_listing(progress, confirms, bad)

    async def _carry_accounted(
        self, listing: Listing, progress: Progress, confirms: Confirms
    ) -> BadNotification | None:
        """Carry the listing; whatever happens, every notification pulled is accounted for and no confirm is left."""
        left_because = "crashed"
        try:
            await self._carry(listing, progress, confirms)
            left_because = "stopped"
        except BadNotification as bad:
            left_because = bad.reason
            return bad
        except ConnectorError as error:
            left_because = error.reason
            raise
        except asyncio.CancelledError:
            left_because = "stopped"
            await confirms.drop()
            raise
        finally:
            self._must_finish = False
            await confirms.finish()
            if progress.left:
                self._observer.abandoned(left_because, progress.left)
            self._standing.pending(progress, self._journal)
        return None

    async def _carry(self, listing: Listing, progress: Progress, confirms: Confirms) -> None:
        """Publish and confirm slice by slice, in SyncID order (Invariant 3)."""
        self._journal.begin_listing()
        if listing.count:
            self._offered_at = self._clock.monotonic()
            self._standing.delivering(progress, self._journal)
        for offered in listing.slices(self._pace.slice_records, self._pace.slice_bytes):
            self._must_finish = True
            known, todo = self._journal.split(offered)
            records, bad = self._encode(todo)
            await self._publish(records, progress)
            self._settle(offered, todo, progress)
            await self._confirm_acked(_confirmable(known, records, todo), confirms)
            if bad is not None:
                raise bad
            if self._stop.is_set():
                return
            self._must_finish = False
            self._standing.pending(progress, self._journal)
            self._observer.beat()
            await asyncio.sleep(0)  # probes and other feeds share this loop
        self._standing.all_published()
        await confirms.finish()
        if self._confirm:
            self._journal.end_listing(listing.highest)

    def _encode(self, todo: Sequence[Notification]) -> tuple[list[Record], BadNotification | None]:
        """The records up to the first notification that cannot be one (Invariant 2: the feed holds there)."""
        records: list[Record] = []
        limit = self._publisher.max_value_bytes
        encode = self._encoder.encode
        for notification in todo:
            try:
                record = encode(notification)
                if len(record.value) + _KEY_BYTES * len(record.business_key) > limit:
                    raise _too_large(record, limit)
            except BadNotification as bad:
                return records, bad
            records.append(record)
        return records, None

    async def _publish(self, records: list[Record], progress: Progress) -> None:
        """Commit one slice; a pair enters the journal here or by the scan and nowhere else (Invariant 1)."""
        if not records:
            return
        highest = self._journal.highest
        if highest is not None and records[0].sync_id < highest:
            self._observer.regressed(sum(record.sync_id < highest for record in records))
        try:
            offsets = await self._publisher.publish(records)
        except (SessionLost, Blocked) as error:
            self._observer.publish_failed(error.reason)
            raise
        self._journal.acked(records, offsets, self._standing.first_seen(progress))
        progress.published += len(records)
        self._observer.published(len(records), self._clock.monotonic() - progress.pulled_at)

    def _settle(self, offered: Sequence[Notification], todo: Sequence[Notification], progress: Progress) -> None:
        """Account for what needed no publishing."""
        duplicates = len(offered) - len(todo)
        progress.deduplicated += duplicates
        if duplicates:
            self._observer.deduplicated(duplicates)

    async def _confirm_acked(self, sync_ids: Sequence[int], confirms: Confirms) -> None:
        """Begin to confirm what is in the journal (Invariant 1), beside the next slice."""
        if self._confirm:
            await confirms.begin(sync_ids)

    def _keep_alive_is_due(self) -> bool:
        """Whether committed offsets and the transactional id need a session before they expire."""
        if self._kept_alive_at is None:
            self._kept_alive_at = self._clock.monotonic()
        return self._clock.monotonic() - self._kept_alive_at > self._pace.keep_alive_seconds

    async def _pause(self, seconds: float) -> None:
        """Wait, and show being alive while doing so."""
        self._observer.beat()
        until = self._clock.monotonic() + seconds
        while not self._stop.is_set() and (left := until - self._clock.monotonic()) > 0:
            await self._clock.wait(self._stop, min(left, _BEAT_SECONDS))
            self._observer.beat()


def _confirmable(known: Sequence[Notification], records: Sequence[Record], todo: Sequence[Notification]) -> list[int]:
    """The SyncIDs all of whose listed contents are in Kafka: confirming takes every content of a SyncID away."""
    sync_ids = [record.sync_id for record in records]
    if known:
        sync_ids = sorted({*sync_ids, *(notification.sync_id for notification in known)})
    if len(records) < len(todo):
        unpublished = {notification.sync_id for notification in todo[len(records) :]}
        sync_ids = [sync_id for sync_id in sync_ids if sync_id not in unpublished]
    return sync_ids


def _too_large(record: Record, limit: int) -> BadNotification:
    message = (
        f"SyncID {record.sync_id} makes a record of {len(record.value)} bytes, more than the {limit} it may have:"
        " raise the topic's max.message.bytes (900 kB at most count) and restart, or shorten it in the ERP"
    )
    return BadNotification("too_large", message, sync_id=record.sync_id)
