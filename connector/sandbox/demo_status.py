"""What the connector's own /status says, asked now and then.

Must not know what it is compared with.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

_ASK_EVERY_SECONDS = 0.5
_ANSWER_SECONDS = 2.0


class Status:
    """The latest answer of a connector that may be gone and come back elsewhere."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.lag: float | None = None
        """The greatest of all feeds in seconds, None while any is unknown."""
        self._found = 0
        self._found_by_the_dead = 0
        self._client = httpx.AsyncClient(trust_env=False, timeout=_ANSWER_SECONDS)

    @property
    def found_in_kafka(self) -> int:
        """Notifications that some process found in Kafka already, and only confirmed."""
        return self._found_by_the_dead + self._found

    def runs_at(self, port: int) -> None:
        """The connector answers there from now on."""
        self.url = f"http://127.0.0.1:{port}/status"

    def died(self) -> None:
        """Nobody answers from now on."""
        self._found_by_the_dead += self._found
        self.url, self.lag, self._found = None, None, 0

    async def look(self) -> None:
        """Ask once; where nothing answers, nothing is known."""
        if self.url is None:
            return
        url = self.url
        try:
            answer = (await self._client.get(url)).json()
        except httpx.HTTPError:
            answer = None
        if url == self.url:
            self._take(answer)

    async def follow(self) -> None:
        """Ask for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_ASK_EVERY_SECONDS)

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    def _take(self, answer: dict[str, Any] | None) -> None:
        if answer is None:
            self.lag = None
            return
        lags = [feed["lag_seconds"] for feed in answer["feeds"]]
        self.lag = None if None in lags else max(lags, default=None)
        self._found = sum(feed["counts"]["deduplicated"] for feed in answer["feeds"])
