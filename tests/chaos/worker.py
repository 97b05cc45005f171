"""The real program as a process that dies, or stands still, at a named point of its session.

python -m tests.chaos.worker --config FILE [--loop NAME] [--kill POINT:N] [--stand POINT:N:FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from connector.app import App
from connector.composition import Hooks
from connector.model import Feed, Point
from connector.settings import load_settings
from tests.chaos.broken import ConfirmBeforeCommit, FuturesNotAwaited, ScanBeforeFence, WithoutScan

_REAL = Hooks(pace={"slice_records": 40, "fenced_wait_seconds": 0.5}, mark_seconds=0.5)
LOOPS: dict[str, Hooks] = {
    "the real loop": _REAL,
    "no scan": dataclasses.replace(_REAL, delivery=WithoutScan),
    "scan before fence": dataclasses.replace(_REAL, delivery=ScanBeforeFence),
    "confirm before commit": dataclasses.replace(_REAL, delivery=ConfirmBeforeCommit),
    "futures not awaited": dataclasses.replace(_REAL, publisher=FuturesNotAwaited),
}


def at(point: Point, occurrence: int, do: Callable[[], None]) -> Callable[[Feed, Point], None]:
    """A hook that acts when a point is reached for the n-th time."""
    seen: Counter[Point] = Counter()

    def reached(_feed: Feed, where: Point) -> None:
        seen[where] += 1
        if where is point and seen[where] == occurrence:
            do()

    return reached


def die() -> None:
    """What kill -9 does, from within: no handler runs, no socket is closed in good order."""
    os.kill(os.getpid(), signal.SIGKILL)


def stand(marker: Path) -> None:
    """Freeze the whole process, as SIGSTOP does, until `<marker>.go` exists; `<marker>` says that it stands."""
    marker.touch()
    while not marker.with_suffix(".go").exists():
        time.sleep(0.01)


def hooks(arguments: argparse.Namespace) -> Hooks:
    """The loop that was asked for, with its kill and its stand."""
    chosen = LOOPS[arguments.loop]
    if arguments.believed_message_bytes:
        chosen = dataclasses.replace(chosen, believed_message_bytes=arguments.believed_message_bytes)
    acts: list[Callable[[Feed, Point], None]] = []
    if arguments.kill:
        point, occurrence = arguments.kill.split(":")
        acts.append(at(Point(point), int(occurrence), die))
    if arguments.stand:
        point, occurrence, marker = arguments.stand.split(":", 2)
        acts.append(at(Point(point), int(occurrence), lambda: stand(Path(marker))))

    def reached(feed: Feed, where: Point) -> None:
        for act in acts:
            act(feed, where)

    return dataclasses.replace(chosen, reached=reached)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--loop", choices=sorted(LOOPS), default="the real loop")
    parser.add_argument("--kill")
    parser.add_argument("--stand")
    parser.add_argument("--believed-message-bytes", type=int)
    arguments = parser.parse_args()

    async def carry() -> None:
        await App(load_settings([arguments.config], os.environ), hooks(arguments)).run()

    asyncio.run(carry())


if __name__ == "__main__":
    main()
