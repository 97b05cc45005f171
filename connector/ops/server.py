"""The operators' HTTP endpoint: /metrics, /livez, /readyz, /status.

Must not know what the feeds do; it answers while all of them are stuck, as long as the event loop turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connector.errors import EnvironmentUnusable
from connector.ops.metrics import Metrics

_STOP_SECONDS = 1
_TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Probes:
    """What the endpoint asks before it answers; each is called at every request and returns at once.

    Args:
        is_ready: configuration valid, started, not shutting down.
        status: the document of /status, of plain values.
        beat_limit_seconds: a feed whose task showed no sign of life for longer makes /livez fail.
    """

    is_ready: Callable[[], bool]
    status: Callable[[], Mapping[str, Any]]
    beat_limit_seconds: float


class OpsServer:
    """Serves inside the running event loop, and leaves the process's signals alone.

    Args:
        metrics: what /metrics shows, and whose feeds /livez supervises.
        probes: what the other paths ask.
        host: the address to listen on.
        port: the port; 0 takes any free one.
    """

    def __init__(self, metrics: Metrics, probes: Probes, *, host: str, port: int) -> None:
        self._metrics = metrics
        self._probes = probes
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on: once started, the real one."""
        return self._port

    async def start(self) -> None:
        """Listen, and answer from now on.

        Raises:
            EnvironmentUnusable: the address cannot be listened on.
        """
        listening = _listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        self._server = _Server(_config(self._application()))
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="ops server")
        # The socket listens already: who connects now is answered as soon as the task runs.

    async def stop(self) -> None:
        """Finish the answers in hand within a second, and listen no more; allowed more than once."""
        if self._server is not None and self._task is not None:
            self._server.leave()
            await self._task
            self._server = self._task = None

    def _application(self) -> Starlette:
        answers = {
            "/metrics": self._answer_metrics,
            "/livez": self._answer_livez,
            "/readyz": self._answer_readyz,
            "/status": self._answer_status,
        }
        return Starlette(routes=[Route(path, answer) for path, answer in answers.items()])

    async def _answer_metrics(self, request: Request) -> Response:
        content, content_type = self._metrics.page(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type})

    async def _answer_livez(self, _request: Request) -> Response:
        # Never the ERP's or a broker's reachability: restarting this process would mend neither.
        limit = self._probes.beat_limit_seconds
        observers = [observer for observer in self._metrics.observers if observer.numbers.is_enabled]
        silent = [observer.numbers for observer in observers if observer.seconds_since_beat > limit]
        if silent:
            names = ", ".join(f"{numbers.site}.{numbers.feed}" for numbers in silent)
            return PlainTextResponse(f"no sign of life for over {limit:g} s: {names}\n", status_code=503)
        return PlainTextResponse("ok\n")

    async def _answer_readyz(self, _request: Request) -> Response:
        if self._probes.is_ready():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready: starting or shutting down\n", status_code=503)

    async def _answer_status(self, _request: Request) -> Response:
        return JSONResponse(self._probes.status())


class _Server(uvicorn.Server):
    """uvicorn as a guest: it neither takes the process's signals nor wakes ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._leaving.wait()


def _config(application: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listening = socket.create_server((host, port), family=family)
        # asyncio leaves it off for a socket that it did not make, and each answer would wait 40 ms for an ACK.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        message = f"server.host {host}, server.port {port}: cannot listen there ({why}); port 0 takes any free one"
        raise EnvironmentUnusable("ops_address", message) from error
    return listening
