"""The program's entry: signals first, then everything else."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> None:
    """Run the command line; a SIGTERM while the rest is still being imported ends the process with 0."""
    signal.signal(signal.SIGTERM, _leave)
    from connector.cli import run  # noqa: PLC0415  importing takes long enough for a signal to arrive

    run()


if __name__ == "__main__":
    main()
