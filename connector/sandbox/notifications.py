"""What the sandbox's Cienapps holds: pending notifications, their history, and the truth a test compares with.

Must not know HTTP. Every public method may be called from any thread.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from random import Random
from threading import RLock
from typing import Literal

import msgspec

from connector.identity import content_hash
from connector.sandbox.business import Business, Change
from connector.sandbox.documented import FEEDS, KEY_FIELDS, FeedName
from connector.sandbox.faults import FaultKind, FaultSwitches, Met

ContentMeaning = Literal["at_change", "present"]


class SandboxNotification(msgspec.Struct, gc=False):
    """One notification from its creation to its confirmation."""

    sync_id: int
    feed: FeedName
    key: str
    raw: bytes
    created_at: float
    is_listed: bool = False
    listed_earlier: tuple[bytes, ...] = ()
    """Hashes of other bytes it was listed as: an older content, or the same content written otherwise."""
    confirmed_at: float | None = None
    confirmed_before_list: int = 0
    """The feed's list requests up to its confirmation."""
    confirms_received: int = 0

    @property
    def listed_hashes(self) -> tuple[bytes, ...]:
        """The content hash of everything it was ever listed as, oldest first."""
        now = (content_hash(self.raw),) if self.is_listed else ()
        return tuple(dict.fromkeys(self.listed_earlier + now))

    def note_listed(self, written: bytes | None = None) -> None:
        """It was listed, as its bytes or as these."""
        if written is None:
            self.is_listed = True
        elif (digest := content_hash(written)) not in self.listed_earlier:
            self.listed_earlier += (digest,)

    def show(self, raw: bytes) -> None:
        """From now on it shows this content."""
        if self.is_listed:
            self.note_listed(self.raw)
        self.raw, self.is_listed = raw, False


class Counts(msgspec.Struct):
    """What the sandbox was asked so far."""

    list_requests: Counter[str] = msgspec.field(default_factory=Counter)
    lists_at_once_at_most: int = 0
    confirm_requests: int = 0
    confirmed_unknown: Counter[int] = msgspec.field(default_factory=Counter)
    """Confirms received for SyncIDs that no notification has."""
    answers: Counter[int] = msgspec.field(default_factory=Counter)
    """Answers to the ERP's own routes by HTTP status; a dropped connection counts as 0."""


class CienappsSandbox:
    """One installation of Cienapps: a business, its notifications and its faults.

    Args:
        token: the API key with read and write permission.
        read_only_token: the API key without write permission.
        seed: of the business and of chance in faults.
        content: what a list shows of a notification: the record when it changed, or as it is at present.
        list_limit: how many notifications one list shows at most; None: all.
        first_sync_id: what the first notification is called.
        clock: the time in seconds since 1970.
    """

    def __init__(  # noqa: PLR0913 - each is one switch of the sandbox, and all have defaults
        self,
        *,
        token: str = "sandbox-token",  # noqa: S107 - a published key to a toy
        read_only_token: str = "sandbox-read-only",  # noqa: S107 - likewise
        seed: int = 1,
        content: ContentMeaning = "at_change",
        list_limit: int | None = None,
        first_sync_id: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.read_only_token = read_only_token
        self.content = content
        self.list_limit = list_limit
        self.faults = FaultSwitches(seed)
        self.counts = Counts()
        self.lock = RLock()
        self._clock = clock
        self._business = Business(seed)
        self._rng = Random(seed)  # noqa: S311 - reproducible disorder, not a secret
        self._next_sync_id = first_sync_id
        self._next_unusable = -1
        self._all: dict[int, SandboxNotification] = {}
        self._pending: dict[FeedName, dict[int, SandboxNotification]] = {feed: {} for feed in FEEDS}
        self._unsorted: set[FeedName] = set()
        self._history: dict[int, SandboxNotification] = {}
        self._pending_of: dict[tuple[FeedName, str], list[SandboxNotification]] = {}

    def create(self, count: int, feed: FeedName | None = None) -> range:
        """Let the business save this many papers, of this feed or of any; each save is a notification.

        Returns:
            Their SyncIDs.
        """
        with self.lock:
            is_odd = self._is_odd if self.faults.any_on else None
            first = self._next_sync_id
            for _ in range(count):
                self._notify(self._business.change(feed, is_odd))
            return range(first, self._next_sync_id)

    def add(self, feed: FeedName, record: Mapping[str, object] | bytes) -> int:
        """Make one record pending, as given: a mapping without a SyncID gets the next one, bytes are left alone.

        A SyncID that is pending already shows the new content from now on. Bytes without a usable SyncID are listed
        too, and can never be confirmed.

        Returns:
            Its SyncID, or a negative number when it has no usable one.

        Raises:
            ValueError: the SyncID is another feed's or in the history, or the bytes are no JSON object.
        """
        with self.lock:
            raw = record if isinstance(record, bytes) else self._encoded(record)
            fields = msgspec.json.decode(raw, type=dict[str, object])
            sync_id = fields.get("SyncID")
            if type(sync_id) is not int or sync_id < 0:
                sync_id = self._next_unusable
                self._next_unusable -= 1
            key = str(fields.get(KEY_FIELDS[feed]) or sync_id)
            if (known := self._all.get(sync_id)) is not None:
                if known.feed != feed or known.confirmed_at is not None:
                    msg = f"SyncID {sync_id} is in use: give the record another one, or none"
                    raise ValueError(msg)
                known.show(raw)
            else:
                self._append(SandboxNotification(sync_id, feed, key, raw, self._clock()))
            return sync_id

    def confirm(self, sync_ids: Iterable[int]) -> int:
        """Move these to the history; unknown and already confirmed ones are accepted and counted.

        Returns:
            How many were pending until now.
        """
        confirmed, now = 0, self._clock()
        with self.lock:
            for sync_id in sync_ids:
                notification = self._all.get(sync_id) if sync_id >= 0 else None
                if notification is None:
                    self.counts.confirmed_unknown[sync_id] += 1
                    continue
                notification.confirms_received += 1
                if notification.confirmed_at is None:
                    self._archive(notification, now)
                    confirmed += 1
        return confirmed

    def pending(self, feed: FeedName) -> list[SandboxNotification]:
        """The feed's pending notifications in SyncID order."""
        with self.lock:
            if feed in self._unsorted:
                self._pending[feed] = dict(sorted(self._pending[feed].items()))
                self._unsorted.discard(feed)
            return list(self._pending[feed].values())

    def history(self, feed: FeedName | None = None) -> list[SandboxNotification]:
        """The confirmed notifications, in the order of their confirmation."""
        with self.lock:
            return [one for one in self._history.values() if feed in (None, one.feed)]

    def truth(self) -> list[SandboxNotification]:
        """Every notification ever created, in the order of creation."""
        with self.lock:
            return list(self._all.values())

    def listing(self, feed: FeedName, met: Met) -> list[SandboxNotification]:
        """What one list shows, in the order it shows it, under the faults that its request met."""
        with self.lock:
            if FaultKind.MODULE_OFF in met:
                return []
            shown = self.pending(feed)
            if stale := met.get(FaultKind.STALE_LIST):
                recent = self._recently_confirmed(feed, stale.seconds, stale.requests)
                shown = sorted([*shown, *recent], key=lambda one: one.sync_id)
            shown = shown[: self.list_limit]
            if FaultKind.SHUFFLE in met:
                self._rng.shuffle(shown)
            elif FaultKind.DESCENDING in met:
                shown.reverse()
            return shown + shown if FaultKind.REPEAT in met else shown

    def _encoded(self, record: Mapping[str, object]) -> bytes:
        return msgspec.json.encode(record if "SyncID" in record else {**record, "SyncID": self._next_sync_id})

    def _is_odd(self, feed: FeedName) -> bool:
        return FaultKind.ODD_TYPES in self.faults.draw("save", feed)

    def _notify(self, change: Change) -> None:
        sync_id = self._next_sync_id
        notification = SandboxNotification(
            sync_id, change.feed, change.key, change.record(sync_id), created_at=self._clock()
        )
        if self.content == "present":
            for earlier in self._pending_of.setdefault((change.feed, change.key), []):
                earlier.show(change.record(earlier.sync_id))
        self._append(notification)

    def _append(self, notification: SandboxNotification) -> None:
        pending, sync_id = self._pending[notification.feed], notification.sync_id
        if pending and sync_id < next(reversed(pending)):
            self._unsorted.add(notification.feed)
        pending[sync_id] = self._all[sync_id] = notification
        self._next_sync_id = max(self._next_sync_id, sync_id + 1)
        if self.content == "present":
            self._pending_of.setdefault((notification.feed, notification.key), []).append(notification)

    def _archive(self, notification: SandboxNotification, now: float) -> None:
        notification.confirmed_at = now
        notification.confirmed_before_list = self.counts.list_requests[notification.feed]
        self._history[notification.sync_id] = self._pending[notification.feed].pop(notification.sync_id)
        if self.content == "present":
            same_paper = self._pending_of[notification.feed, notification.key]
            same_paper.remove(notification)
            if not same_paper:
                del self._pending_of[notification.feed, notification.key]

    def _recently_confirmed(
        self, feed: FeedName, seconds: float | None, requests: int | None
    ) -> Sequence[SandboxNotification]:
        """The feed's that were confirmed within so many seconds or list requests; with neither, all ever confirmed."""

        def is_recent(one: SandboxNotification) -> bool:
            young = seconds is None or self._clock() - (one.confirmed_at or 0) <= seconds
            near = requests is None or self.counts.list_requests[feed] - one.confirmed_before_list <= requests
            return young and near

        return list(takewhile(is_recent, self._newest_first(feed)))

    def _newest_first(self, feed: FeedName) -> Iterator[SandboxNotification]:
        return (one for one in reversed(self._history.values()) if one.feed == feed)
