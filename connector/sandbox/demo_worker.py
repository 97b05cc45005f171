"""The connector as the demo's child: the program itself, which may be made to die (SIGKILL) at a named point.

Must not know the demo. python -m connector.sandbox.demo_worker CONFIG [--no-crcs] [--die-at POINT FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from connector.app import App
from connector.composition import Hooks
from connector.errors import ConnectorError, Fatal
from connector.model import Feed, Point
from connector.settings import load_settings

_LOOK_EVERY_SECONDS = 0.01


def main() -> None:
    """Wait for the configuration, then run as `cien-connector run` does; the environment is not looked at."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path, help="may be written after the start: importing takes its time")
    parser.add_argument("--no-crcs", action="store_true", help="the embedded broker's checksums do not hold")
    parser.add_argument("--die-at", nargs=2, metavar=("POINT", "FILE"), help="once FILE exists")
    arguments = parser.parse_args()
    hooks = Hooks(check_crcs=not arguments.no_crcs)
    if arguments.die_at:
        point, file = arguments.die_at
        hooks = Hooks(check_crcs=hooks.check_crcs, reached=_dying(Point(point), Path(file)))
    while not arguments.config.exists():
        time.sleep(_LOOK_EVERY_SECONDS)
    try:
        asyncio.run(_carry(arguments.config, hooks))
    except ConnectorError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in error.message.split("\n")))
        sys.exit(error.exit_code if isinstance(error, Fatal) else 1)


async def _carry(config: Path, hooks: Hooks) -> None:
    app = App(load_settings([config], {}), hooks)
    gc.freeze()
    await app.run()


def _dying(point: Point, armed: Path) -> Callable[[Feed, Point], None]:
    """A hook that does what kill -9 does: no handler runs, nothing is closed in good order."""

    def reached(_feed: Feed, where: Point) -> None:
        if where is point and armed.exists():
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


if __name__ == "__main__":
    main()
