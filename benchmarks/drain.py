"""A backlog through real HTTP into a real Kafka: the connector beside the plain script, taking turns in one run.

python -m benchmarks.drain [--records 100000] [--rounds 3]

CPU per record is user and system time of the whole process, less what the same process takes when nothing is pending
(the least of several such starts, so that rather too little is taken off).
"""

from __future__ import annotations

import argparse
from statistics import median

from benchmarks.scene import Drain, Scene, scene

PROGRAMS = ("connector", "plain_script")
_IDLE_ROUNDS = 3


def per_record(drained: Drain, idle_cpu_seconds: float) -> float:
    """µs of CPU for one record."""
    return (drained.cpu_seconds - idle_cpu_seconds) / drained.records * 1e6


def compare(made: Scene, records: int, rounds: int) -> float:
    """Print what each round took; returns the median of the connector's share of the plain script's CPU."""
    print(f"{records} pending orders, {rounds} rounds, each program in turn\n")
    idle = {program: min(made.drain(program, 0).cpu_seconds for _ in range(_IDLE_ROUNDS)) for program in PROGRAMS}
    for program in PROGRAMS:
        print(f"{program:14} starts and stops with nothing pending in {idle[program]:5.2f} s of CPU")
    print(f"\n{'':14} CPU s  µs/record  records/s  peak MB")
    shares = []
    for _ in range(rounds):
        costs = {}
        for program in PROGRAMS:
            drained = made.drain(program, records)
            costs[program] = per_record(drained, idle[program])
            print(
                f"{program:14}{drained.cpu_seconds:6.2f}{costs[program]:11.1f}"
                f"{drained.records / drained.wall_seconds:11.0f}{drained.peak_bytes / 1e6:9.0f}",
                flush=True,
            )
        shares.append(costs["connector"] / costs["plain_script"])
        print(f"{'':14} the connector takes {shares[-1]:.0%} of the plain script's CPU")
    print(f"\nmedian {median(shares):.0%}")
    return median(shares)


def main() -> None:
    """Run it as asked."""
    parser = argparse.ArgumentParser(description="A backlog through the connector and through a plain script.")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with scene() as made:
        compare(made, arguments.records, arguments.rounds)


if __name__ == "__main__":
    main()
