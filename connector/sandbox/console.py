"""The sandbox's own routes, under /sandbox: make changes, switch faults, look at the history and at the truth.

Must not know the ERP's routes. They need no key: the sandbox is served on loopback only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Self

import msgspec
from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from connector.sandbox.documented import FEEDS, FeedName
from connector.sandbox.faults import Fault, FaultKind, FaultState
from connector.sandbox.notifications import CienappsSandbox, SandboxNotification

_AT_ONCE = 1_000_000
_PIECE_RECORDS = 500


class NewNotifications(BaseModel):
    """Either so many saves by the business, or these records as given."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"count": 5, "feed": "order"}]})

    count: int | None = Field(default=None, ge=1, le=_AT_ONCE, description="How many papers the business saves")
    feed: FeedName | None = Field(default=None, description="Whose; without it, any feed's")
    records: list[dict[str, object]] | None = Field(
        default=None, description="Records to list as they are; one without a SyncID gets the next"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.count is None) == (self.records is None):
            msg = "give either count or records"
            raise ValueError(msg)
        if self.records is not None and self.feed is None:
            msg = "records need their feed"
            raise ValueError(msg)
        return self


class Created(BaseModel):
    """The SyncIDs of what was created."""

    count: int
    first_sync_id: int | None
    last_sync_id: int | None


class Steps(BaseModel):
    """How far the business goes on."""

    model_config = ConfigDict(extra="forbid")

    steps: int = Field(default=1, ge=1, le=_AT_ONCE, description="How many papers are saved")


class Stats(BaseModel):
    """Counts since the sandbox started."""

    created: int
    pending: dict[str, int] = Field(description="By feed")
    confirmed: dict[str, int] = Field(description="By feed")
    list_requests: dict[str, int] = Field(description="By feed")
    lists_at_once_at_most: int = Field(description="The most list requests that were being answered at one time")
    confirm_requests: int
    confirmed_more_than_once: dict[int, int] = Field(description="Confirms received, by SyncID, where more than one")
    confirmed_unknown: dict[int, int] = Field(description="Confirms received for SyncIDs that never were, by SyncID")
    answers: dict[int, int] = Field(description="By HTTP status; 0 is a connection dropped without one")


def stats(sandbox: CienappsSandbox) -> Stats:
    """What happened so far, in numbers."""
    truth, counts = sandbox.truth(), sandbox.counts
    return Stats(
        created=len(truth),
        pending={feed: len(sandbox.pending(feed)) for feed in FEEDS},
        confirmed={feed: len(sandbox.history(feed)) for feed in FEEDS},
        list_requests={feed: counts.list_requests[feed] for feed in FEEDS},
        lists_at_once_at_most=counts.lists_at_once_at_most,
        confirm_requests=counts.confirm_requests,
        confirmed_more_than_once={one.sync_id: one.confirms_received for one in truth if one.confirms_received > 1},
        confirmed_unknown=dict(counts.confirmed_unknown),
        answers=dict(counts.answers),
    )


def console_routes(sandbox: CienappsSandbox) -> APIRouter:
    """The routes over this sandbox."""
    routes = APIRouter(prefix="/sandbox", tags=["sandbox"])
    _add_business(routes, sandbox)
    _add_faults(routes, sandbox)
    _add_looks(routes, sandbox)
    return routes


def _add_business(routes: APIRouter, sandbox: CienappsSandbox) -> None:
    @routes.post("/notifications", status_code=201, responses={409: {"description": "A SyncID is in use"}})
    def create_notifications(wanted: NewNotifications) -> Created:
        """Let the business save papers, or make given records pending."""
        if wanted.records is None or wanted.feed is None:
            return _created(sandbox.create(wanted.count or 0, wanted.feed))
        try:
            return _created([sandbox.add(wanted.feed, record) for record in wanted.records])
        except ValueError as in_use:
            raise HTTPException(409, str(in_use)) from in_use

    @routes.post("/tick")
    def tick(wanted: Steps) -> Created:
        """Let the business go on by so many saves."""
        return _created(sandbox.create(wanted.steps))


def _add_faults(routes: APIRouter, sandbox: CienappsSandbox) -> None:
    def states() -> list[FaultState]:
        with sandbox.lock:
            return sandbox.faults.states()

    @routes.get("/faults")
    def show_faults() -> list[FaultState]:
        """The faults that are on."""
        return states()

    @routes.put("/faults")
    def replace_faults(faults: list[Fault]) -> list[FaultState]:
        """Switch these on and all others off; counts begin anew."""
        with sandbox.lock:
            sandbox.faults.replace(faults)
        return states()

    @routes.post("/faults", status_code=201)
    def add_fault(fault: Fault) -> list[FaultState]:
        """Switch one on beside the others."""
        with sandbox.lock:
            sandbox.faults.add(fault)
        return states()

    @routes.delete("/faults")
    def remove_faults(kind: FaultKind | None = None) -> list[FaultState]:
        """Switch off those of a kind, or all."""
        with sandbox.lock:
            sandbox.faults.remove(kind)
        return states()


def _add_looks(routes: APIRouter, sandbox: CienappsSandbox) -> None:
    @routes.get("/stats")
    def show_stats() -> Stats:
        """Counts since the sandbox started."""
        return stats(sandbox)

    @routes.get("/history")
    def show_history(
        feed: FeedName | None = None,
        limit: Annotated[int | None, Query(ge=0, description="Only the latest so many")] = None,
    ) -> Response:
        """The confirmed notifications with their records, the latest first."""
        latest = reversed(sandbox.history(feed))
        return _array(list(islice(latest, limit)), _past)

    @routes.get("/truth")
    def show_truth(feed: FeedName | None = None) -> Response:
        """Every notification ever created, the hashes of all contents it was listed with, and its confirms."""
        return _array([one for one in sandbox.truth() if feed in (None, one.feed)], _true)


def _created(sync_ids: Sequence[int]) -> Created:
    first, last = (sync_ids[0], sync_ids[-1]) if sync_ids else (None, None)
    return Created(count=len(sync_ids), first_sync_id=first, last_sync_id=last)


def _past(one: SandboxNotification) -> dict[str, object]:
    return _true(one) | {"record": msgspec.Raw(one.raw)}


def _true(one: SandboxNotification) -> dict[str, object]:
    return {
        "sync_id": one.sync_id,
        "feed": one.feed,
        "business_key": one.key,
        "created_at": _moment(one.created_at),
        "listed": [digest.hex() for digest in one.listed_hashes],
        "confirmed_at": _moment(one.confirmed_at),
        "confirms_received": one.confirms_received,
    }


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _array(found: Sequence[SandboxNotification], shape: Callable[[SandboxNotification], dict[str, object]]) -> Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"["
        for start in range(0, len(found), _PIECE_RECORDS):
            piece = [msgspec.json.encode(shape(one)) for one in found[start : start + _PIECE_RECORDS]]
            yield (b",\n" if start else b"\n") + b",\n".join(piece)
        yield b"\n]\n"

    return StreamingResponse(body(), media_type="application/json")
