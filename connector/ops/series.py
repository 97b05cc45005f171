"""The two shapes of number that a metric needs beside a plain one: counts by label, and counts by size.

Must not know which metrics exist. They are written by the event loop's thread alone, so nothing is locked, and read
at a scrape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

OTHER = "other"
"""Counts every label value beyond the cap."""


class Tally:
    """Counts by label values, a bounded number of them.

    Args:
        known: values that exist with 0 from the start.
        cap: how many values it may hold, known ones not counted; what comes later counts as "other".
        admits: whether a value may be shown at all; asked once for each.
    """

    __slots__ = ("_admits", "_counts", "_room")

    def __init__(
        self,
        known: Iterable[tuple[str, ...]],
        cap: int = 0,
        admits: Callable[[str], object] = lambda _value: True,
    ) -> None:
        self._counts: dict[tuple[str, ...], int] = dict.fromkeys(known, 0)
        self._room = cap
        self._admits = admits

    def add(self, *values: str, count: int = 1) -> None:
        """Count for these label values."""
        if values in self._counts:
            self._counts[values] += count
        else:
            self._add_new(values, count)

    def _add_new(self, values: tuple[str, ...], count: int) -> None:
        if self._room > 0 and self._admits(values[-1]):
            self._room -= 1
        else:
            values = (*values[:-1], OTHER)
        self._counts[values] = self._counts.get(values, 0) + count

    def __getitem__(self, value: str) -> int:
        return self._counts.get((value,), 0)

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], int]]:
        return iter(self._counts.items())

    @property
    def total(self) -> int:
        """The sum over all label values."""
        return sum(self._counts.values())


class Histogram:
    """Counts by size.

    Args:
        bounds: the upper bounds of the buckets, ascending, without the last one, which has none.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float, count: int = 1) -> None:
        """Count a value, as often as said, at the cost of once."""
        self._counts[bisect_left(self._bounds, value)] += count
        self._sum += value * count

    def cumulative(self) -> list[tuple[str, float]]:
        """For every bucket its upper bound and how many values are not above it."""
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        return list(zip(bounds, accumulate(self._counts), strict=True))

    @property
    def sum(self) -> float:
        """The sum of all values."""
        return self._sum
