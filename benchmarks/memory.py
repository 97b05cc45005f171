"""Peak memory at growing backlogs, the plain script's beside it; and what three idle feeds take.

python -m benchmarks.memory [--records 10000 100000 1000000] [--plain-up-to 100000] [--idle-seconds 30]

Linux only: the figures come from /proc.
"""

from __future__ import annotations

import argparse
import threading

from benchmarks.erp import erp
from benchmarks.scene import Scene, scene

_SETTLES_SECONDS = 5.0
IDLE_FEEDS = ("order", "quotation", "workorder")


def backlogs(made: Scene, sizes: list[int], plain_up_to: int) -> None:
    """Print the peak of each program at each backlog."""
    print(f"{'pending':>10}{'connector':>14}{'plain script':>16}")
    for records in sizes:
        ours = made.drain("connector", records).peak_bytes
        line = f"{records:10}{ours / 1e6:11.0f} MB"
        if records <= plain_up_to:
            line += f"{made.drain('plain_script', records).peak_bytes / 1e6:13.0f} MB"
        print(line, flush=True)


def idle(made: Scene, seconds: float) -> None:
    """Print what three feeds take while nothing is offered, asked every second."""
    with erp() as served, made.connector(served.base_url, "idle", IDLE_FEEDS) as running:
        while not served.counts().list_requests:
            threading.Event().wait(0.05)
        threading.Event().wait(_SETTLES_SECONDS)
        before = running.cpu_so_far()
        threading.Event().wait(seconds)
        share = (running.cpu_so_far() - before) / seconds
        resident = running.memory("VmRSS")
        running.leave()
    print(f"\nthree idle feeds at 1 s: {resident / 1e6:.0f} MB resident, {share:.1%} of a core over {seconds:g} s")


def main() -> None:
    """Run it as asked."""
    parser = argparse.ArgumentParser(description="Peak memory, and what idling takes.")
    parser.add_argument("--records", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--plain-up-to", type=int, default=100_000, help="at a million it takes 4 GB")
    parser.add_argument("--idle-seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    with scene() as made:
        backlogs(made, arguments.records, arguments.plain_up_to)
        idle(made, arguments.idle_seconds)


if __name__ == "__main__":
    main()
