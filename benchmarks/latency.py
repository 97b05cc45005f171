"""From the list's answer to the commit, while orders are saved at a steady rate: every record's own seconds.

python -m benchmarks.latency [--rate 200] [--seconds 60] [--poll-interval-seconds 1]

The connector runs in this process; the ERP and Kafka in theirs. On a busy machine most of it is waiting for a core:
Linux tells how long this process waited, and what Kafka waited comes on top.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import gc
from pathlib import Path
from typing import Any

from benchmarks.erp import Erp, erp
from benchmarks.scene import Scene, scene
from connector.app import App
from connector.composition import Hooks
from connector.delivery import Delivery
from connector.parts import Observer, Parts
from connector.settings import load_settings

_WARM_UP_SECONDS = 3.0


class Listening:
    """Hears how long records took, and passes everything on.

    Args:
        heard: where each record's seconds are put.
        observer: the real one.
    """

    def __init__(self, heard: list[float], observer: Observer) -> None:
        self._heard = heard
        self._observer = observer

    def published(self, count: int, seconds_since_pull: float) -> None:
        """A slice is committed."""
        self._heard += [seconds_since_pull] * count
        self._observer.published(count, seconds_since_pull)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._observer, name)


def listening_to(heard: list[float]) -> type[Delivery]:
    """The real loop with a listener at its observer."""

    class HeardDelivery(Delivery):
        def __init__(self, parts: Parts, *arguments: Any, **named: Any) -> None:
            listener: Any = Listening(heard, parts.observer)
            super().__init__(dataclasses.replace(parts, observer=listener), *arguments, **named)

    return HeardDelivery


def waited_seconds() -> float:
    """How long this process was ready to run and had no core (Linux, sched-stats.rst)."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


async def measure(
    made: Scene, served: Erp, rate: float, seconds: float, poll_interval_seconds: float
) -> tuple[list[float], float]:
    """Every record's seconds in ascending order, the session's start left out; and the seconds without a core."""
    heard: list[float] = []
    config = made.folder / "latency.yaml"
    text = made.settings(served.base_url, "latency")
    config.write_text(text.replace("poll_interval_seconds: 1,", f"poll_interval_seconds: {poll_interval_seconds:g},"))
    app = App(load_settings([config], {}), Hooks(delivery=listening_to(heard)))
    gc.freeze()  # as the command line does
    running = asyncio.create_task(app.run())
    await asyncio.to_thread(served.rate, rate)
    await asyncio.wait([running], timeout=_WARM_UP_SECONDS)
    heard.clear()
    waited = waited_seconds()
    await asyncio.wait([running], timeout=seconds)
    taken, waited = sorted(heard), waited_seconds() - waited
    app.stop()
    await running
    return taken, waited


def main() -> None:
    """Run it as asked."""
    parser = argparse.ArgumentParser(description="From the list's answer to the commit.")
    parser.add_argument("--rate", type=float, default=200.0, help="orders saved per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--poll-interval-seconds", type=float, default=1.0)
    asked = parser.parse_args()
    with scene() as made, erp() as served:
        taken, waited = asyncio.run(measure(made, served, asked.rate, asked.seconds, asked.poll_interval_seconds))
    p50, p99 = (taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"{asked.rate:g} records/s for {asked.seconds:g} s, asked every {asked.poll_interval_seconds:g} s:"
        f" {len(taken)} records, p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {taken[-1] * 1000:.1f} ms;"
        f" {waited:.1f} s of it without a core"
    )


if __name__ == "__main__":
    main()
