"""Receives one list: bytes as they arrive in, a complete and validated listing out, or nothing.

Must not know HTTP: it is given the bytes, and words that say where they come from.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable

from connector.erp.splitting import Splitter
from connector.erp.spool import Spool


async def receive(chunks: AsyncIterable[bytes], where: str) -> Spool:
    """Receive a list to its end; the caller closes what is returned.

    Raises:
        Retriable: truncated; nothing of the list counts.
        Blocked: login_page, not_json_array, not_utf8, record_too_large, or spool.
    """
    splitter = Splitter(where)
    spool = Spool(where)
    try:
        async for chunk in chunks:
            piece = splitter.feed(chunk)
            if piece is not None:
                spool.add(piece)
                await asyncio.sleep(0)  # probes and other feeds share this loop
        spool.add(splitter.finish())
        spool.seal()
    except BaseException:
        spool.close()
        raise
    return spool


async def shows_any(chunks: AsyncIterable[bytes], where: str) -> bool:
    """Whether a list shows anything: reads up to its first record, or to the end of an empty list.

    Raises:
        Retriable: truncated; it ended before either.
        Blocked: login_page, not_json_array, or not_utf8.
    """
    splitter = Splitter(where)
    async for chunk in chunks:
        splitter.feed(chunk)
        if splitter.shows_record:
            return True
    return bool(splitter.finish().records)
