"""What the sandbox's Cienapps answers: a list in pieces, and everything that goes wrong instead of one.

Must not know routes or tokens. A list of a million notifications is never one body in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from email.utils import formatdate

import msgspec
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse

from connector.sandbox.faults import Fault, FaultKind, Met
from connector.sandbox.notifications import CienappsSandbox, SandboxNotification

_PIECE_RECORDS = 128  # about 110 KB of generated records
_BOM = b"\xef\xbb\xbf"
_LATIN_FIELD = ',"Note":"DÉJÀ VU"}'
_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Cienapps</title></head><body><form>Sign in</form></body></html>"
_NO_ARRAY = b'{"message":"the list is being rebuilt"}'


class Connections:
    """The open connections by the client's address, so that an answer can drop the one it goes to."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], tuple[asyncio.BaseTransport, asyncio.Event]] = {}

    def opened(self, client: tuple[str, int], transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._open[client] = (transport, asyncio.Event())

    def lost(self, client: tuple[str, int]) -> None:
        """Its connection is gone."""
        _, is_lost = self._open.pop(client)
        is_lost.set()

    def has(self, request: Request) -> bool:
        """Whether the connection of this request is open."""
        return request.client in self._open

    async def pause(self, request: Request, seconds: float) -> bool:
        """Wait so long, or until the client has left; returns whether it is still there."""
        client = request.client
        if client is None or (found := self._open.get((client.host, client.port))) is None:
            await asyncio.sleep(seconds)
            return True
        try:
            async with asyncio.timeout(seconds):
                await found[1].wait()
        except TimeoutError:
            return True
        return False

    async def drop(self, request: Request) -> None:
        """Close the connection of this request after what is written; returns when it is gone.

        Raises:
            ConnectionAbortedError: the application is served by another server than the sandbox's own.
        """
        client = request.client
        if client is None or (found := self._open.get((client.host, client.port))) is None:
            msg = "only connector.sandbox.serve can drop a connection"
            raise ConnectionAbortedError(msg)
        transport, is_lost = found
        transport.close()
        await is_lost.wait()


def instead(met: Met) -> Response | None:
    """The answer that some fault gives in place of the real one, before the token is looked at."""
    if fault := met.get(FaultKind.THROTTLE):
        return JSONResponse({"message": "Too many requests"}, 429, headers=_retry_after(fault))
    if fault := met.get(FaultKind.ERROR_STATUS):
        return JSONResponse({"message": "Error"}, fault.status or 503, headers=_retry_after(fault))
    if FaultKind.REDIRECT in met:
        return RedirectResponse("/login", 302)
    return HTMLResponse(_LOGIN_PAGE) if FaultKind.LOGIN_PAGE in met else None


def refusal(status: int, message: str) -> Response:
    """The answer to a key that may not do this."""
    return JSONResponse({"message": message}, status)


def _retry_after(fault: Fault) -> dict[str, str]:
    seconds = fault.retry_after_seconds
    if seconds is None:
        return {}
    as_date = fault.retry_after_as == "date"
    return {"Retry-After": formatdate(time.time() + seconds, usegmt=True) if as_date else str(seconds)}


def list_answer(
    sandbox: CienappsSandbox, shown: Sequence[SandboxNotification], met: Met, ended: Callable[[], Awaitable[None]]
) -> Response:
    """The answer that lists these, as the faults have it; `ended` is awaited after its last byte."""
    pieces = iter([_NO_ARRAY]) if FaultKind.NOT_AN_ARRAY in met else list_pieces(sandbox, shown, met)
    cut = met.first(FaultKind.TRUNCATE, FaultKind.DROP_MID_BODY)
    if cut is not None:
        half = sum(len(one.raw) + 1 for one in shown) // 2
        pieces = _cut(pieces, cut.after_bytes if cut.after_bytes is not None else half)

    async def body() -> AsyncIterator[bytes]:
        slow = met.get(FaultKind.SLOW_BODY)
        for piece in pieces:
            yield piece
            if slow is not None:
                await asyncio.sleep(slow.seconds or 0)
        await ended()

    return StreamingResponse(body(), media_type="application/json; charset=utf-8")


def list_pieces(sandbox: CienappsSandbox, shown: Sequence[SandboxNotification], met: Met) -> Iterator[bytes]:
    """The list's body in pieces; each notification is noted as listed when its piece is made."""
    is_plain = not {FaultKind.PRETTY_PRINT, FaultKind.NOT_UTF8} & met.keys()
    separator, end = (b",\n", b"\n]") if FaultKind.PRETTY_PRINT in met else (b",", b"]")
    yield (_BOM if FaultKind.BOM in met else b"") + (b"[\n" if FaultKind.PRETTY_PRINT in met else b"[")
    for start in range(0, len(shown), _PIECE_RECORDS):
        block = shown[start : start + _PIECE_RECORDS]
        with sandbox.lock:
            if is_plain:
                for one in block:
                    one.is_listed = True
                records = [one.raw for one in block]
            else:
                records = [_written_otherwise(one, met) for one in block]
        yield (separator if start else b"") + separator.join(records)
    yield end


def _written_otherwise(one: SandboxNotification, met: Met) -> bytes:
    raw = one.raw
    if FaultKind.PRETTY_PRINT in met:
        raw = msgspec.json.format(raw, indent=2)
    if FaultKind.NOT_UTF8 in met:
        raw = (raw.decode().rstrip("}\n ") + _LATIN_FIELD).encode("cp1252", "replace")
    one.note_listed(raw)
    return raw


def _cut(pieces: Iterator[bytes], at_bytes: int) -> Iterator[bytes]:
    left = at_bytes
    for piece in pieces:
        if left <= len(piece):
            yield piece[:left]
            return
        yield piece
        left -= len(piece)
