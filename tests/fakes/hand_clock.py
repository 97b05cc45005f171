"""A clock that stands still until it is moved by hand."""

from __future__ import annotations


class HandClock:
    """Wall and monotonic time in one; call it to read it."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds
