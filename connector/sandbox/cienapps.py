"""The Cienapps API over HTTP, as the ERP's document has it ("Cienapps - API", API Routes), with faults by switch.

Must not know how it is served. Assumed where the document is silent: a wrong or missing key is answered 401, a key
without write permission 403 on a confirm, a confirm of an unknown or already confirmed SyncID is accepted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Request, Response, Security
from fastapi.security import APIKeyHeader

from connector import __version__
from connector.sandbox.answers import Connections, instead, list_answer, refusal
from connector.sandbox.console import console_routes
from connector.sandbox.documented import FEEDS, MODELS, Confirmation, Confirmed, FeedName
from connector.sandbox.faults import Fault, FaultKind, Met, Route
from connector.sandbox.notifications import CienappsSandbox

__all__ = ["CienappsSandbox", "create_app"]

_Token = Annotated[str | None, Security(APIKeyHeader(name="ApiToken", auto_error=False, description="The API key"))]
_DESCRIPTION = """An imitation of the Cienapps API, with invented data, to build against.

Put the API key under **Authorize** (`sandbox-token` unless it was started with another one). A list shows what is
pending; a confirm moves notifications to the history for good. The section *sandbox* holds its own switches: make
changes, look at the history, switch faults on."""
_REFUSALS: dict[int | str, dict[str, str]] = {
    401: {"description": "The key is missing or wrong"},
    403: {"description": "The key lacks write permission"},
}


def create_app(sandbox: CienappsSandbox) -> FastAPI:
    """The application that shows this sandbox; `app.state.connections` is for the server that can drop connections."""
    app = FastAPI(title="Cienapps sandbox", version=__version__, description=_DESCRIPTION)
    app.state.connections = Connections()
    app.include_router(_erp_routes(_Erp(sandbox, app.state.connections)))
    app.include_router(console_routes(sandbox))
    return app


class _Erp:
    """The ERP's own routes over one sandbox."""

    def __init__(self, sandbox: CienappsSandbox, connections: Connections) -> None:
        self._sandbox = sandbox
        self._connections = connections
        self._listing: list[Request] = []

    async def answer_list(self, feed: FeedName, request: Request, token: str | None) -> Response:
        self._sandbox.counts.list_requests[feed] += 1
        self._begin_list(request)
        met, answer = await self._received("list", feed, request, token)
        if answer is not None:
            self._end_list(request)
            return self._counted(answer)

        async def ended() -> None:
            self._end_list(request)
            if FaultKind.DROP_MID_BODY in met:
                await self._connections.drop(request)

        return self._counted(list_answer(self._sandbox, self._sandbox.listing(feed, met), met, ended))

    async def answer_confirm(self, sync_ids: list[int], request: Request, token: str | None) -> Response:
        self._sandbox.counts.confirm_requests += 1
        met, answer = await self._received("confirm", None, request, token)
        if answer is not None:
            return self._counted(answer)
        if token == self._sandbox.read_only_token or FaultKind.READ_ONLY_KEY in met:
            return self._counted(refusal(403, "This API key has no write permission"))
        refused = met.get(FaultKind.CONFIRM_REFUSED)
        spared = _spared(sync_ids, refused) | _spared(sync_ids, met.get(FaultKind.CONFIRM_IGNORED))
        confirmed = self._sandbox.confirm(one for one in sync_ids if one not in spared)
        if FaultKind.CONFIRM_ANSWER_LOST in met:
            return await self._dropped(request)
        if refused is not None and not spared.isdisjoint(sync_ids):
            return self._counted(refusal(refused.status or 403, "Confirm refused"))
        return self._counted(Response(Confirmed(confirmed=confirmed).model_dump_json(), media_type="application/json"))

    def _begin_list(self, request: Request) -> None:
        """Note that a list is being answered; one whose client has left is no longer."""
        self._listing = [other for other in self._listing if self._connections.has(other)]
        self._listing.append(request)
        counts = self._sandbox.counts
        counts.lists_at_once_at_most = max(counts.lists_at_once_at_most, len(self._listing))

    def _end_list(self, request: Request) -> None:
        self._listing = [other for other in self._listing if other is not request]

    async def _received(
        self, route: Route, feed: FeedName | None, request: Request, token: str | None
    ) -> tuple[Met, Response | None]:
        """The faults the request meets, and the answer where it is already known."""
        with self._sandbox.lock:
            met = self._sandbox.faults.draw(route, feed)
        latency = met.get(FaultKind.LATENCY)
        if latency and not await self._connections.pause(request, latency.seconds or 0):
            self._sandbox.counts.answers[0] += 1
            return met, _Gone()
        if FaultKind.DROP_BEFORE_ANSWER in met:
            return met, await self._dropped(request)
        if (answer := instead(met)) is not None:
            return met, answer
        known = (self._sandbox.token, self._sandbox.read_only_token)
        if token not in known or FaultKind.INVALID_TOKEN in met:
            return met, refusal(401, "The header ApiToken is missing or wrong")
        return met, None

    async def _dropped(self, request: Request) -> Response:
        self._sandbox.counts.answers[0] += 1
        await self._connections.drop(request)
        return _Gone()

    def _counted(self, answer: Response) -> Response:
        if not isinstance(answer, _Gone):
            self._sandbox.counts.answers[answer.status_code] += 1
        return answer


class _Gone(Response):
    """What a route returns when nobody is there to be answered; counted before the connection was dropped."""


def _spared(sync_ids: list[int], fault: Fault | None) -> set[int]:
    if fault is None:
        return set()
    return set(fault.sync_ids) or set(sync_ids)


def _erp_routes(erp: _Erp) -> APIRouter:
    routes = APIRouter(tags=["Cienapps"])
    for feed in FEEDS:
        routes.add_api_route(
            f"/api/sync/{feed}/list",
            _list_endpoint(erp, feed),
            name=f"List of {feed}s",
            description=f"The notifications of changed {feed}s that are pending, in SyncID order.",
            response_class=Response,
            responses={200: {"model": list[MODELS[feed]]}, 401: _REFUSALS[401]},  # type: ignore[valid-type]
        )

    @routes.post("/api/sync/confirm", response_model=Confirmed, responses=_REFUSALS)
    async def confirm_reading_of_notifications(
        confirmation: Confirmation, request: Request, token: _Token = None
    ) -> Response:
        """Move notifications to the history: no list shows them again."""
        return await erp.answer_confirm(confirmation.SyncID, request, token)

    return routes


def _list_endpoint(erp: _Erp, feed: FeedName) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request, token: _Token = None) -> Response:
        return await erp.answer_list(feed, request, token)

    return endpoint
