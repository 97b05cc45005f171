"""The program's entry: signals first, then everything else."""

from __future__ import annotations

import signal
import sys
from types import FrameType

_INTERRUPTED = 130


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(_INTERRUPTED if number == signal.SIGINT else 0)


def main() -> None:
    """Run the command line; a signal while the rest is still being imported ends the process without a word."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    from connector.cli import run  # noqa: PLC0415  importing takes long enough for a signal to arrive

    run()


if __name__ == "__main__":
    main()
