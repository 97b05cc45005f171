"""One slice of what is in Kafka: pairs of SyncID and hash in compact arrays, and what is known of each.

Must not know other slices, nor how a pair came to be in Kafka.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

Place = tuple[str, int]
"""A topic and a partition of it."""

_ABSORB_PAIRS = 5000
_ABSORB_SECONDS = 10.0

# What is known of a pair, as flags: the listing in hand shows it; the ERP confirmed it; the ERP may have confirmed it.
SHOWN = 1
CONFIRMED = 2
PERHAPS = 4
_PENDING = (SHOWN, SHOWN | PERHAPS)
_STILL_SHOWN = (SHOWN | CONFIRMED, SHOWN | CONFIRMED | PERHAPS)
_HIDE = bytes(state & ~SHOWN for state in range(256))


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

    __slots__ = (
        "_confirmed",
        "_confirmed_since",
        "_hashes",
        "_states",
        "_sync_ids",
        "first_offsets",
        "first_seen",
        "settled_at",
    )

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
        self._confirmed_since: float | None = None

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
            self.settled_at = self._confirmed_since = None
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

    def pending(self, now: float, stale_list_seconds: float) -> int:
        """How many pairs the listing in hand shows unconfirmed, or confirmed longer ago than a list is stale."""
        pending = sum(map(self._states.count, _PENDING))
        if self._confirmed_since is not None and now - self._confirmed_since > stale_list_seconds:
            pending += sum(map(self._states.count, _STILL_SHOWN))
        return pending

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
                # What is listed is not confirmed, whatever an attempt may have done before.
                self._states[index] = (self._states[index] | SHOWN) & ~PERHAPS
                if self.settled_at is not None:
                    self.settled_at = now
                return True
            index += 1
        return False

    def confirm(self, sync_ids: Sequence[int], now: float) -> int:
        """Note that these SyncIDs, with any content, are confirmed; returns how many pairs newly are."""
        newly = matched = 0
        if len(sync_ids) == len(self._sync_ids) and array("q", sync_ids) == self._sync_ids:
            newly, matched = self.unconfirmed, len(sync_ids)
            self._states = bytearray([SHOWN | CONFIRMED]) * len(sync_ids)
        else:
            for index in self._indexes(sync_ids):
                newly += not self._states[index] & CONFIRMED
                matched += 1
                self._states[index] |= CONFIRMED
        # A slice that merely lies between the SyncIDs of a confirm is no younger for it.
        return self._count(newly, now) if matched else 0

    def perhaps_confirm(self, sync_ids: Sequence[int]) -> None:
        """Note that nobody knows whether these SyncIDs are confirmed: all or some may be."""
        for index in self._indexes(sync_ids):
            self._states[index] |= PERHAPS

    def confirm_unshown(self, below: int, now: float) -> int:
        """Note that pairs which are perhaps confirmed and not shown, below a SyncID, are; returns how many."""
        end = bisect_left(self._sync_ids, below)
        newly = self._states.count(PERHAPS, 0, end)
        if newly:
            self._states[:end] = self._states[:end].replace(bytes([PERHAPS]), bytes([CONFIRMED]))
        return self._count(newly, now) if newly else 0

    def _indexes(self, sync_ids: Sequence[int]) -> Iterator[int]:
        """Where these SyncIDs stand here, each content of them."""
        for sync_id in sync_ids:
            index = bisect_left(self._sync_ids, sync_id)
            while index < len(self._sync_ids) and self._sync_ids[index] == sync_id:
                yield index
                index += 1

    def _count(self, newly: int, now: float) -> int:
        self._confirmed += newly
        if not self.unconfirmed:
            self.settled_at = now
            self._confirmed_since = self._confirmed_since or now
        return newly
