"""The Cienapps source: lists of pending notifications, and the confirm that takes them away.

Must not know what is done with them. Source of the routes: "Cienapps - API", sections "API Routes" and "Confirm
Reading of Notifications".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from hashlib import blake2b
from typing import Final

import msgspec

from connector.erp.http import Answer, Request, RequestObserver, Site
from connector.erp.listing import receive, shows_any
from connector.erp.splitting import login_page
from connector.erp.spool import Spool
from connector.errors import Blocked
from connector.model import Feed

FEEDS: Final = ("order", "quotation", "workorder")
"""The lists that the document names."""
CONFIRM_CHUNK: Final = 500
_CONFIRM_PATH: Final = "/api/sync/confirm"
_OK: Final = 200
_BEAT_SECONDS: Final = 10.0
_FINGERPRINT_BYTES: Final = 16


class CienappsSource:
    """One feed of a Cienapps installation.

    Args:
        feed: which; its name is the list's in the address.
        site: the installation.
        list_turns: held while a list is received; shared by the site's feeds.
        observer: told of requests.
        confirm_chunk: how many SyncIDs one confirm request carries at most.
    """

    def __init__(
        self,
        feed: Feed,
        site: Site,
        list_turns: asyncio.Semaphore,
        observer: RequestObserver,
        *,
        confirm_chunk: int = CONFIRM_CHUNK,
    ) -> None:
        self._site = site
        self._list_turns = list_turns
        self._observer = observer
        self._confirm_chunk = confirm_chunk
        self._list = Request("list", "GET", f"/api/sync/{feed.name}/list", site.timeouts.list_seconds)
        self._fingerprint = _fingerprint(feed.kind, site.identity, "notifications")

    @property
    def fingerprint(self) -> str:
        """Which ERP this is (kind, address, mode), hashed."""
        return self._fingerprint

    async def offers(self) -> bool:
        """Ask for the list and stop reading at its first record: is there anything at all?

        Raises:
            Retriable: back off and ask again.
            Blocked: the feed waits for a person.
        """
        async with self._turn(), self._site.exchange(self._list, self._observer) as answer:
            _refuse_other_than_ok(answer)
            async with aclosing(answer.chunks()) as chunks:
                return await shows_any(chunks, answer.where)

    async def pull(self) -> Spool:
        """Receive the whole list; returns only when it was complete and valid to its end.

        Raises:
            Retriable: nothing of this list counts; back off and pull again.
            Blocked: nothing of this list counts; the feed waits for a person.
        """
        async with self._turn(), self._site.exchange(self._list, self._observer) as answer:
            _refuse_other_than_ok(answer)
            async with aclosing(self._beating(answer.chunks())) as chunks:
                return await receive(chunks, answer.where)

    async def confirm(self, sync_ids: Sequence[int]) -> None:
        """Tell the ERP that these are received. DESTRUCTIVE: they are never offered again.

        In chunks one after another; a failure leaves the chunks behind it unsent.

        Raises:
            Retriable: the outcome is unknown, or nothing was confirmed; a later list tells.
            Blocked: the ERP refuses confirms from this key, or a web page answered.
        """
        for start in range(0, len(sync_ids), self._confirm_chunk):
            await self._confirm(sync_ids[start : start + self._confirm_chunk])

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None, None]:
        """The site's turn to ask for a list; another feed's long list may be ahead, so waiting for it shows life."""
        while True:
            try:
                async with asyncio.timeout(_BEAT_SECONDS):
                    await self._list_turns.acquire()
                break
            except TimeoutError:
                self._observer.beat()
        try:
            yield
        finally:
            self._list_turns.release()

    async def _beating(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            async for chunk in chunks:
                self._observer.beat()
                yield chunk

    async def _confirm(self, sync_ids: Sequence[int]) -> None:
        content = msgspec.json.encode({"SyncID": list(sync_ids)})
        request = Request("confirm", "POST", _CONFIRM_PATH, self._site.timeouts.confirm_seconds, content)
        async with self._site.exchange(request, self._observer) as answer, aclosing(answer.chunks()) as chunks:
            begins = b""
            async for chunk in chunks:  # to its end, so that the connection can be used again
                begins = begins or chunk.removeprefix(b"\xef\xbb\xbf").lstrip()
                if begins.startswith(b"<"):
                    raise login_page(answer.where)


def _refuse_other_than_ok(answer: Answer) -> None:
    """Success without a list (204, say) is none: read as an empty list it would hide what is pending."""
    if answer.status != _OK:
        message = (
            f"{answer.where} answered {answer.status}, where 200 and a JSON array belong:"
            " check base_url, and that no proxy stands between"
        )
        raise Blocked("not_json_array", message)


def _fingerprint(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=_FINGERPRINT_BYTES).hexdigest()
