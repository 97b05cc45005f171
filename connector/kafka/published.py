"""What of a feed is in Kafka, in memory: all slices that the session knows of.

Must not know where it was read from. A million pairs take 17 MB; a look-up is a bisection in the slices that fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.kafka.published_slice import PERHAPS, SHOWN, Place, PublishedSlice, short_hash
from connector.model import Notification


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
        """A slice is in Kafka: `shown` by the listing in hand, or found by the scan and perhaps confirmed since."""
        added = PublishedSlice(pairs, first_offsets, first_seen, SHOWN if shown else PERHAPS)
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

    def perhaps_confirmed(self, sync_ids: Sequence[int]) -> None:
        """Nobody knows whether the ERP accepted these, in ascending order: a later list tells."""
        for held in self._slices:
            if held.overlaps(sync_ids[0], sync_ids[-1]):
                held.perhaps_confirm(sync_ids)

    def end_listing(self, highest: int | None, now: float) -> int:
        """The listing was complete; returns how many pairs count as confirmed because it did not show them.

        An empty list proves nothing: the ERP's module may be off, and show everything again when it is on.
        """
        if highest is None:
            return 0
        return sum(held.confirm_unshown(highest, now) for held in self._slices if held.unconfirmed)

    def pending(self, now: float, stale_list_seconds: float) -> tuple[int, float | None]:
        """How many shown pairs are not confirmed, and when the oldest slice of them was first seen.

        What is shown longer than a list may be stale counts too: its confirm had no effect.
        """
        counts = [(held.pending(now, stale_list_seconds), held.first_seen) for held in self._slices]
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
