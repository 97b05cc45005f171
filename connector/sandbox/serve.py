"""Serves a sandbox's Cienapps on loopback: inside the running loop, in a thread with a loop of its own, or for good.

Must not know what is served beyond its application, and refuses every address that is not this machine's own.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from connector.errors import ConfigurationWrong, EnvironmentUnusable
from connector.sandbox.answers import Connections
from connector.sandbox.cienapps import CienappsSandbox, create_app
from connector.sandbox.faults import Fault
from connector.sandbox.notifications import ContentMeaning

_TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox's Cienapps is set up and served."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    token: str = "sandbox-token"  # noqa: S105 - a published key to a toy
    read_only_token: str = "sandbox-read-only"  # noqa: S105 - likewise
    rate: float = 0.0  # business changes per second while it is served
    backlog: int = 0  # notifications that are pending at the start
    seed: int = 1
    content: ContentMeaning = "at_change"
    list_limit: int | None = None
    faults: tuple[Fault, ...] = ()
    certfile: Path | None = None  # with keyfile: served as https
    keyfile: Path | None = None

    def sandbox(self) -> CienappsSandbox:
        """The sandbox these options describe, backlog and faults included."""
        sandbox = CienappsSandbox(
            token=self.token,
            read_only_token=self.read_only_token,
            seed=self.seed,
            content=self.content,
            list_limit=self.list_limit,
        )
        sandbox.faults.replace(self.faults)
        sandbox.create(self.backlog)
        return sandbox


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox that is being served."""

    sandbox: CienappsSandbox
    base_url: str


@asynccontextmanager
async def serving(options: SandboxOptions, sandbox: CienappsSandbox | None = None) -> AsyncIterator[Served]:
    """Serve in the running loop until the block is left; connections still open then are closed.

    Args:
        options: how; what only describes a sandbox is not looked at where one is given.
        sandbox: which; by default the one the options describe.

    Raises:
        ConfigurationWrong: the host is not loopback, or one of certfile and keyfile is missing.
        EnvironmentUnusable: the port or the certificate cannot be used.
    """
    _refuse_the_impossible(options)
    sandbox = sandbox or options.sandbox()
    app = create_app(sandbox)
    with _listening(options) as listener:
        server = _Server(_config(app, options))
        serve = asyncio.create_task(server.serve(sockets=[listener]))
        ticker = asyncio.create_task(_tick(sandbox, options.rate))
        try:
            await _until_ready(server, serve)
            scheme = "https" if options.certfile else "http"
            host = f"[{options.host}]" if ":" in options.host else options.host
            yield Served(sandbox, f"{scheme}://{host}:{listener.getsockname()[1]}")
        finally:
            ticker.cancel()
            server.stop()
            for ended in await asyncio.gather(ticker, serve, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended


@contextmanager
def serving_in_thread(options: SandboxOptions, sandbox: CienappsSandbox | None = None) -> Iterator[Served]:
    """Serve in a thread with a loop of its own, so that the client shares none with it; otherwise as `serving`."""
    ready: list[Served | BaseException] = []
    is_ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        try:
            async with serving(options, sandbox) as served:
                ready.append(served)
                is_ready.set()
                await stop.wait()
        except BaseException as failure:  # noqa: BLE001 - raised again in the caller's thread
            ready.append(failure)
            is_ready.set()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="sandbox", daemon=True)
    thread.start()
    try:
        is_ready.wait()
        if isinstance(ready[0], BaseException):
            raise ready[0]
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    if isinstance(ready[-1], BaseException):
        raise ready[-1]


def serve_forever(options: SandboxOptions, announce: Callable[[Served], None]) -> None:
    """Serve until SIGINT or SIGTERM, then return.

    Args:
        options: what is served and how.
        announce: called once, when requests are answered.

    Raises:
        ConfigurationWrong: see `serving`.
        EnvironmentUnusable: see `serving`.
    """

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with serving(options) as served:
            announce(served)
            await stop.wait()

    asyncio.run(run())


class _Protocol(H11Protocol):
    """Tells the application's `Connections` which are open."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self._connections().opened(self.client, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.client is not None:
            self._connections().lost(self.client)

    def _connections(self) -> Connections:
        app = cast("FastAPI", self.config.app)
        return cast("Connections", app.state.connections)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers, ticking and graceful end: it ends when the caller says so, and at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()
        self._is_over = asyncio.Event()

    def stop(self) -> None:
        """Close everything; what is being answered is cut off."""
        self._is_over.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()

    async def main_loop(self) -> None:
        await self._is_over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.gather(*self.server_state.tasks)


def _config(app: FastAPI, options: SandboxOptions) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=options.certfile,
        ssl_keyfile=options.keyfile,
    )
    try:
        config.load()
    except OSError as unusable:  # ssl.SSLError is one
        msg = f"the sandbox cannot use the certificate {options.certfile} with the key {options.keyfile}"
        raise EnvironmentUnusable("certificate", msg) from unusable
    return config


def _refuse_the_impossible(options: SandboxOptions) -> None:
    problems = []
    if options.host != "localhost" and not _is_loopback(options.host):
        problems.append(f"host {options.host}: the sandbox is served on loopback only, say 127.0.0.1")
    if (options.certfile is None) != (options.keyfile is None):
        problems.append("certfile and keyfile: give both or none")
    if problems:
        raise ConfigurationWrong(problems)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _listening(options: SandboxOptions) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server(
            (options.host, options.port), family=socket.AF_INET6 if ":" in options.host else socket.AF_INET
        )
    except OSError as unusable:
        msg = f"the sandbox cannot listen on {options.host}:{options.port} ({unusable.strerror}): choose another port"
        raise EnvironmentUnusable("port", msg) from unusable
    # asyncio does this for sockets that name their protocol alone; without it every answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        yield listener


async def _until_ready(server: _Server, serve: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(server.is_ready.wait())
    await asyncio.wait([ready, serve], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if serve.done():
        await serve


async def _tick(sandbox: CienappsSandbox, rate: float) -> None:
    """Let the business save `rate` papers a second; after a pause the missed ones are made up for."""
    if rate <= 0:
        return
    loop = asyncio.get_running_loop()
    began, made = loop.time(), 0
    while True:
        await asyncio.sleep(max(_TICK_SECONDS, 1 / rate))
        due = int((loop.time() - began) * rate) - made
        sandbox.create(due)
        made += due
