"""What of a feed is in Kafka, in memory: pairs of SyncID and hash, in slices of compact arrays.

Must not know where it was read from. A million pairs take 17 MB; a look-up is a bisection.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from connector.model import Notification

Place = tuple[str, int]
"""A topic and a partition of it."""

_ABSORB_PAIRS = 5000
_ABSORB_SECONDS = 10.0
_SHOWN = 1
_CONFIRMED = 2
_HIDE = bytes(state & ~_SHOWN if state < 4 else state for state in range(256))  # noqa: PLR2004  two flags, four states


def short_hash(content_hash: bytes) -> int:
    """The first eight bytes of a content hash: within one SyncID, enough to tell contents apart."""
    return int.from_bytes(content_hash[:8], "big", signed=True)


class PublishedSlice:
    """The pairs of one slice, ascending by SyncID, and where in Kafka they begin.

    Args:
        pairs: SyncIDs with their short hashes, in any order.
        first_offsets: by place, an offset at or below each of the pairs' records.
        first_seen: when the oldest was first listed, wall-clock seconds.
        state: the state all pairs begin in.
    """

    __slots__ = ("_confirmed", "_hashes", "_states", "_sync_ids", "first_offsets", "first_seen", "settled_at")

    def __init__(
        self, pairs: Iterable[tuple[int, int]], first_offsets: dict[Place, int], first_seen: float, state: int
    ) -> None:
        ordered = sorted(pairs)
        self._sync_ids = array("q", [sync_id for sync_id, _ in ordered])
        self._hashes = array("q", [short for _, short in ordered])
        self._states = bytearray([state]) * len(ordered)
        self._confirmed = 0
        self.first_offsets = first_offsets
        self.first_seen = first_seen
        self.settled_at: float | None = None

    def __len__(self) -> int:
        return len(self._sync_ids)

    def absorb(self, later: PublishedSlice) -> bool:
        """Take a small later slice in, so that a slow feed does not pile up thousands; False when it does not fit."""
        fits = (
            len(self) + len(later) <= _ABSORB_PAIRS
            and later.lowest > self.highest
            and later.first_seen - self.first_seen <= _ABSORB_SECONDS
        )
        if fits:
            if not self.unconfirmed:
                self.first_seen = later.first_seen
            self._sync_ids.extend(later._sync_ids)
            self._hashes.extend(later._hashes)
            self._states.extend(later._states)
            self.settled_at = None
            self.first_offsets = {**later.first_offsets, **self.first_offsets}
        return fits

    @property
    def lowest(self) -> int:
        """The lowest SyncID."""
        return self._sync_ids[0]

    @property
    def highest(self) -> int:
        """The highest SyncID."""
        return self._sync_ids[-1]

    @property
    def unconfirmed(self) -> int:
        """How many pairs are not confirmed."""
        return len(self._sync_ids) - self._confirmed

    @property
    def shown_unconfirmed(self) -> int:
        """How many pairs the listing in hand shows that are not confirmed."""
        return self._states.count(_SHOWN)

    def overlaps(self, lowest: int, highest: int) -> bool:
        """Whether a SyncID of that range may be here."""
        return self._sync_ids[0] <= highest and self._sync_ids[-1] >= lowest

    def hide(self) -> None:
        """A new listing begins: it has shown nothing yet."""
        self._states = self._states.translate(_HIDE)

    def show(self, sync_id: int, short: int, now: float) -> bool:
        """Note that the listing in hand shows this pair; False when it is not here.

        A list that still shows what was confirmed is stale: the pair is kept as long again.
        """
        sync_ids = self._sync_ids
        index = bisect_left(sync_ids, sync_id)
        while index < len(sync_ids) and sync_ids[index] == sync_id:
            if self._hashes[index] == short:
                self._states[index] |= _SHOWN
                if self.settled_at is not None:
                    self.settled_at = now
                return True
            index += 1
        return False

    def confirm(self, sync_ids: Sequence[int], now: float) -> int:
        """Note that these SyncIDs, with any content, are confirmed; returns how many pairs newly are."""
        if len(sync_ids) == len(self._sync_ids) and array("q", sync_ids) == self._sync_ids:
            newly = self.unconfirmed
            self._states = bytearray([_SHOWN | _CONFIRMED]) * len(sync_ids)
        else:
            newly = sum(self._confirm_one(sync_id) for sync_id in sync_ids)
        return self._count(newly, now)

    def confirm_unshown(self, below: int | None, now: float) -> int:
        """Note that pairs the listing does not show, below a SyncID, are confirmed; returns how many newly are."""
        end = len(self._sync_ids) if below is None else bisect_left(self._sync_ids, below)
        newly = self._states.count(0, 0, end)
        if newly:
            self._states[:end] = self._states[:end].replace(b"\0", bytes([_CONFIRMED]))
        return self._count(newly, now)

    def _confirm_one(self, sync_id: int) -> int:
        newly = 0
        index = bisect_left(self._sync_ids, sync_id)
        while index < len(self._sync_ids) and self._sync_ids[index] == sync_id:
            newly += not self._states[index] & _CONFIRMED
            self._states[index] |= _CONFIRMED
            index += 1
        return newly

    def _count(self, newly: int, now: float) -> int:
        self._confirmed += newly
        if not self.unconfirmed:
            self.settled_at = now
        return newly


class Published:
    """All slices of a feed that the session knows of."""

    def __init__(self) -> None:
        self._slices: list[PublishedSlice] = []
        self.highest: int | None = None

    def __len__(self) -> int:
        return sum(map(len, self._slices))

    def add(
        self, pairs: Iterable[tuple[int, int]], first_offsets: dict[Place, int], first_seen: float, *, shown: bool
    ) -> None:
        """A slice is in Kafka; `shown` when the listing in hand offered it."""
        added = PublishedSlice(pairs, first_offsets, first_seen, _SHOWN if shown else 0)
        if not self._slices or not self._slices[-1].absorb(added):
            self._slices.append(added)
        self.highest = added.highest if self.highest is None else max(self.highest, added.highest)

    def begin_listing(self) -> None:
        """A new listing begins."""
        for held in self._slices:
            held.hide()

    def split(self, offered: Sequence[Notification], now: float) -> tuple[list[Notification], list[Notification]]:
        """Those in Kafka, and those not, each pair once; both in the order offered, which is by SyncID."""
        slices = [held for held in self._slices if held.overlaps(offered[0].sync_id, offered[-1].sync_id)]
        if not slices:
            return [], _without_repeats(offered)
        known: list[Notification] = []
        todo: list[Notification] = []
        for notification in offered:
            short = short_hash(notification.content_hash)
            # Each slice is told, not the first alone: a pair that several hold is shown in all of them.
            is_known = [held.show(notification.sync_id, short, now) for held in slices]
            (known if any(is_known) else todo).append(notification)
        return known, _without_repeats(todo)

    def confirmed(self, sync_ids: Sequence[int], now: float) -> int:
        """The ERP accepted these, in ascending order; returns how many pairs newly are confirmed."""
        overlapping = (held for held in self._slices if held.overlaps(sync_ids[0], sync_ids[-1]))
        return sum(held.confirm(sync_ids, now) for held in overlapping)

    def end_listing(self, highest: int | None, now: float) -> int:
        """The listing was complete; returns how many pairs count as confirmed because it did not show them."""
        return sum(held.confirm_unshown(highest, now) for held in self._slices if held.unconfirmed)

    def pending(self) -> tuple[int, float | None]:
        """How many shown pairs are not confirmed, and when the oldest slice of them was first seen."""
        counts = [(held.shown_unconfirmed, held.first_seen) for held in self._slices]
        return sum(count for count, _ in counts), min((seen for count, seen in counts if count), default=None)

    def forget_settled(self, before: float) -> None:
        """Drop the slices confirmed before then: no list is as stale as that."""
        self._slices = [held for held in self._slices if held.settled_at is None or held.settled_at > before]

    def lowest_offsets(self) -> dict[Place, int]:
        """By place, the lowest offset of what is still held."""
        lowest: dict[Place, int] = {}
        for held in self._slices:
            for place, offset in held.first_offsets.items():
                lowest[place] = min(offset, lowest.get(place, offset))
        return lowest


def _without_repeats(offered: Sequence[Notification]) -> list[Notification]:
    """The same, each (SyncID, hash) once: a list may show one notification twice."""
    if len({notification.sync_id for notification in offered}) == len(offered):
        return list(offered)
    return list({(notification.sync_id, notification.content_hash): notification for notification in offered}.values())
