"""The program around the loops: a feed that ends unasked is a crash, never a quiet exit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connector.app import App
from connector.errors import ConnectorError
from connector.settings import load_settings


class Ending:
    """A delivery whose task ends as it is told to."""

    def __init__(self, end: Exception | type[BaseException] | None) -> None:
        self._end = end
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        if self._end is not None:
            raise self._end
        await self._stop.wait()


@pytest.fixture
def app(tmp_path: Path) -> App:
    config = tmp_path / "connector.yaml"
    config.write_text(
        "app: test\nkafka: {bootstrap_servers: '127.0.0.1:1'}\n"
        "sites: {s: {kind: cienapps, base_url: 'http://127.0.0.1:1', token: fake}}\n"
    )
    return App(load_settings([config], {}))


@pytest.mark.parametrize("end", [asyncio.CancelledError, ValueError("x"), ConnectorError("x", "y")])
async def test_a_feed_that_ends_unasked_ends_the_process_with_an_error(app: App, end: BaseException) -> None:
    """Cancelled by nobody, or crashed: the other feeds are stopped in order, and the error comes out."""
    other = Ending(None)
    with pytest.raises((ConnectorError, ValueError)):
        await app._deliver({"ending": Ending(end), "other": other})  # type: ignore[dict-item, arg-type]
    assert other._stop.is_set()


async def test_a_stop_ends_all_feeds_and_is_no_error(app: App) -> None:
    """Stopped as asked: nothing comes out."""
    delivering = asyncio.create_task(app._deliver({"one": Ending(None), "other": Ending(None)}))  # type: ignore[dict-item]
    app.stop()
    async with asyncio.timeout(5):
        await delivering
