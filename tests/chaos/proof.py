"""Broken loops beside the real one, on a real Kafka with real processes: what each of them loses or doubles.

python -m tests.chaos.proof        prints the table (make prove)
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from connector.model import Point
from tests.brokers import chosen
from tests.chaos.judge import Verdict
from tests.chaos.stage import FEED, Stage, stage, until
from tests.fakes.topics import create_topics

NOTIFICATIONS = 120
_BROKEN_SECONDS = 8.0
_STEP_SECONDS = 30.0


@dataclass(frozen=True)
class Experiment:
    """One misfortune, the rule that survives it, and the loop that leaves the rule out."""

    misfortune: str
    rule: str
    broken: str
    run: Callable[[Stage, str], None]
    max_message_bytes: int | None = None


def dies_after_commit(scene: Stage, loop: str) -> None:
    """The process dies after a commit and before the confirm."""
    scene.dies("--loop", loop, "--kill", f"{Point.AFTER_COMMIT}:1")
    scene.drain("--loop", loop)


def dies_before_commit(scene: Stage, loop: str) -> None:
    """The process dies when a slice is produced and not yet committed."""
    scene.dies("--loop", loop, "--kill", f"{Point.BEFORE_COMMIT}:1")
    scene.drain("--loop", loop)


def wakes_up_late(scene: Stage, loop: str) -> None:
    """A frozen process wakes up and commits while its successor is between its first and its second step."""
    old_mark, new_mark = scene.folder / "old", scene.folder / "new"
    at_old = ("--stand", f"{Point.BEFORE_PRODUCE}:1:{old_mark}", "--kill", f"{Point.AFTER_COMMIT}:1")
    old = scene.worker("--loop", loop, *at_old)
    until(old_mark.exists, _STEP_SECONDS)
    new = scene.worker("--loop", loop, "--stand", f"{Point.AFTER_FENCE}:1:{new_mark}")
    until(new_mark.exists, _STEP_SECONDS)
    old_mark.with_suffix(".go").touch()
    until(lambda: old.exit_code is not None or '"fenced"' in old.log_tail(), _STEP_SECONDS)
    old.kill()
    new_mark.with_suffix(".go").touch()
    until(lambda: not scene.erp.pending(FEED), _STEP_SECONDS)
    new.kill()


def topic_refuses(scene: Stage, loop: str) -> None:
    """The topic takes less than the program was told, so that a batch is refused although its commit succeeds."""
    scene.drain("--loop", loop, "--believed-message-bytes", "900000", seconds=_BROKEN_SECONDS)
    if scene.erp.pending(FEED):
        scene.drain("--loop", loop)


EXPERIMENTS = (
    Experiment("killed between commit and confirm", "scan before the first slice", "no scan", dies_after_commit),
    Experiment("killed before a commit", "confirm after the ack", "confirm before commit", dies_before_commit),
    Experiment("frozen, then awake again", "fence, then scan", "scan before fence", wakes_up_late),
    Experiment("a batch is refused", "await every future", "futures not awaited", topic_refuses, 4_000),
)


async def conduct(experiment: Experiment, loop: str, bootstrap_servers: str, folder: Path) -> Verdict:
    """One experiment with one loop."""
    with stage(bootstrap_servers, folder, notifications=NOTIFICATIONS) as scene:
        if experiment.max_message_bytes is not None:
            await create_topics(
                bootstrap_servers, [scene.topic], partitions=1, max_message_bytes=experiment.max_message_bytes
            )
        await asyncio.to_thread(experiment.run, scene, loop)
        return await scene.verdict()


async def _table(bootstrap_servers: str) -> bool:
    table = Table("what happened", "rule", "loop", "notifications", "lost", "doubled", "out of order", "pending")
    is_proof = True
    for experiment in EXPERIMENTS:
        for loop in ("the real loop", experiment.broken):
            with tempfile.TemporaryDirectory() as folder:
                verdict = await conduct(experiment, loop, bootstrap_servers, Path(folder))
            is_proof &= verdict.is_clean == (loop == "the real loop")
            numbers = (verdict.notifications, verdict.lost, verdict.doubled, verdict.out_of_order, verdict.pending)
            table.add_row(experiment.misfortune, experiment.rule, loop, *map(str, numbers))
    Console().print(table)
    return is_proof


def main() -> None:
    with chosen(lambda line: sys.stderr.write(f"{line}\n")) as broker:
        if not broker.real:
            sys.exit("error: the proof needs a real Kafka, and none can be had: " + "; ".join(broker.declined))
        sys.exit(0 if asyncio.run(_table(broker.bootstrap_servers)) else 1)


if __name__ == "__main__":
    main()
