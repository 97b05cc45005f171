"""The demo's business: saves so many papers a second, and closes before the demo ends.

Must not know who is told of the changes.
"""

from __future__ import annotations

from connector.sandbox.notifications import CienappsSandbox


class Hours:
    """Business hours over a sandbox; what a busy machine missed is made up for.

    Args:
        sandbox: whose business.
        rate: changes per second.
        now: seconds on a clock that never goes back.
    """

    def __init__(self, sandbox: CienappsSandbox, rate: float, now: float) -> None:
        self._sandbox = sandbox
        self._rate = rate
        self._began = now
        self._made = 0
        self._is_open = True

    def go_on(self, now: float) -> None:
        """Save what is due by now."""
        if self._is_open and (due := int((now - self._began) * self._rate) - self._made) > 0:
            self._sandbox.create(due)
            self._made += due

    def close(self) -> None:
        """No change from now on."""
        self._is_open = False
