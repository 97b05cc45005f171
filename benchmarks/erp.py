"""The sandbox ERP in a process of its own, so that its work is not counted with the connector's.

Must not know what is measured.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from connector.sandbox.documented import FeedName
from connector.sandbox.notifications import CienappsSandbox
from connector.sandbox.serve import SandboxOptions, serving

FEED: FeedName = "order"
_TICK_SECONDS = 0.01
_STARTS_WITHIN_SECONDS = 60.0


class Counts(NamedTuple):
    """How far the ERP's clients are."""

    list_requests: int
    """For orders."""
    pending: int


class Erp:
    """A sandbox that is being served elsewhere.

    Args:
        pipe: to its process.
        base_url: where it is served.
    """

    def __init__(self, pipe: Connection, base_url: str) -> None:
        self._pipe = pipe
        self.base_url = base_url

    def counts(self) -> Counts:
        """How far the ERP's clients are."""
        self._pipe.send("counts")
        return Counts(*self._pipe.recv())

    def rate(self, records_per_second: float) -> None:
        """Orders are saved at this rate from now on."""
        self._pipe.send(records_per_second)
        self._pipe.recv()


@contextmanager
def erp(orders: int = 0) -> Iterator[Erp]:
    """A sandbox with so many pending orders."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, orders), daemon=True)
    process.start()
    try:
        if not ours.poll(_STARTS_WITHIN_SECONDS + orders / 10_000):
            raise TimeoutError("the sandbox does not start")
        yield Erp(ours, ours.recv())
    finally:
        process.kill()
        process.join()


def _run(pipe: Connection, orders: int) -> None:
    # A client that only looks at a list's beginning hangs up, and asyncio warns of each portion it no longer takes.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(_serve(pipe, orders))


async def _serve(pipe: Connection, orders: int) -> None:
    sandbox = CienappsSandbox()
    sandbox.create(orders, FEED)
    ticker: asyncio.Task[None] | None = None
    async with serving(SandboxOptions(), sandbox) as served:
        pipe.send(served.base_url)
        while True:
            asked: str | float = await asyncio.to_thread(pipe.recv)
            if isinstance(asked, str):
                pipe.send((sandbox.counts.list_requests[FEED], len(sandbox.pending(FEED))))
                continue
            if ticker is not None:
                ticker.cancel()
            ticker = asyncio.create_task(_tick(sandbox, asked))
            pipe.send(None)


async def _tick(sandbox: CienappsSandbox, rate: float) -> None:
    """Save orders at this rate, a few at a time."""
    loop = asyncio.get_running_loop()
    began, made = loop.time(), 0
    while True:
        due = int((loop.time() - began) * rate) - made
        sandbox.create(due, FEED)
        made += due
        await asyncio.sleep(_TICK_SECONDS)
