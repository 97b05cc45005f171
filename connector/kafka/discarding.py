"""Throwing a producer or a consumer away, whatever state it is in.

This is the one place that touches aiokafka's private names: `stop()` alone may wait for ever on a frozen broker, and
what it leaves behind would go on sending.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.producer.message_accumulator import MessageAccumulator

from connector.kafka.mapping import FOREIGN

_STOP_SECONDS = 2.0
_CLOSE_SECONDS = 2.0


async def discard(producer: AIOKafkaProducer) -> None:
    """End the producer and every task of it; bounded to a few seconds, raises nothing but a cancellation."""
    accumulator = producer._message_accumulator  # noqa: SLF001  see the module's docstring
    try:
        with contextlib.suppress(*FOREIGN):
            async with asyncio.timeout(_STOP_SECONDS):
                await producer.stop()
    finally:
        task = producer._sender._sender_task  # noqa: SLF001
        # Its pending batches would otherwise keep their waiters, and the sender with them, alive.
        _fail_pending(accumulator)
        await _end(task)
        with contextlib.suppress(*FOREIGN):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await producer.client.close()
        await _end(task)
        _retrieve(producer._txn_manager._transaction_waiter)  # noqa: SLF001
        producer._closed = True  # noqa: SLF001  stop() may not have come that far, and would be warned about


async def stop_consumer(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Stop the consumer within so many seconds; raises nothing but a cancellation of the caller.

    In a task of its own: stopped while a fetch fails, aiokafka 0.14 raises a CancelledError that nobody asked for,
    which here would end the caller in silence.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    stopping.add_done_callback(_retrieve)
    try:
        await asyncio.wait([stopping], timeout=seconds)
    finally:
        stopping.cancel()


def _fail_pending(accumulator: MessageAccumulator) -> None:
    """Fail what is still to be sent, and look at each failure: nobody else does any more."""
    queued = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001
    batches = [*queued, *accumulator._pending_batches]  # noqa: SLF001
    accumulator.fail_all(ProducerClosed())
    for batch in batches:
        _retrieve(batch.future)
        _retrieve(batch._drain_waiter)  # noqa: SLF001


def _retrieve(future: asyncio.Future[Any] | None) -> None:
    if future is not None and future.done() and not future.cancelled():
        future.exception()


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel the sender until it is gone: it awaits its own requests first, which a closed client lets fail."""
    for _ in range(3):
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait([task], timeout=_CLOSE_SECONDS / 4)
