"""Writes the few lines about one feed that an operator must read: blocked, backing off, recovered.

Must not know why; the words are those of the error.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from connector.model import State

_REPEAT_SECONDS = 300.0


class FeedLog:
    """Tells of the changes of one feed's state.

    Args:
        site: the feed's site.
        feed: the feed's name.
        monotonic: seconds that never go back.
    """

    def __init__(self, site: str, feed: str, monotonic: Callable[[], float]) -> None:
        self._log = structlog.stdlib.get_logger("connector.feed", site=site, feed=feed)
        self._monotonic = monotonic
        self._trouble: tuple[State, str | None] | None = None
        self._told: dict[tuple[State, str | None], float] = {}

    def state(self, state: State, reason: str | None, message: str | None) -> None:
        """Write a line when a trouble begins, changes or ends; one that comes and goes, every five minutes only."""
        if state in (State.BLOCKED, State.BACKING_OFF):
            trouble = (state, reason)
            if trouble != self._trouble and self._is_due(trouble):
                self._write(state, reason, message)
            self._trouble = trouble
        elif self._trouble is not None and state in (State.CAUGHT_UP, State.DELIVERING):
            if self._is_due((state, None)):
                self._log.info("feed recovered", after=self._trouble[0].value)
            self._trouble = None

    def _write(self, state: State, reason: str | None, message: str | None) -> None:
        if state is State.BLOCKED:
            self._log.error("feed blocked", reason=reason, why=message)
        else:
            self._log.warning("feed backs off", reason=reason, why=message)

    def _is_due(self, what: tuple[State, str | None]) -> bool:
        now = self._monotonic()
        told = self._told.get(what)
        if told is not None and now - told < _REPEAT_SECONDS:
            return False
        self._told[what] = now
        return True
