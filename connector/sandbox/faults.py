"""The faults an ERP may show, each a switch: what it is, which requests it meets, how often.

Must not know how a fault is carried out; it only says which ones meet a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connector.errors import ConfigurationWrong
from connector.sandbox.documented import FeedName

Route = Literal["list", "confirm", "save"]


class FaultKind(StrEnum):
    """Every fault the sandbox can imitate; docs/sandbox.md says what each stands for."""

    LATENCY = "latency"
    SLOW_BODY = "slow_body"
    THROTTLE = "throttle"
    ERROR_STATUS = "error_status"
    REDIRECT = "redirect"
    LOGIN_PAGE = "login_page"
    DROP_BEFORE_ANSWER = "drop_before_answer"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - the name of a fault
    TRUNCATE = "truncate"
    DROP_MID_BODY = "drop_mid_body"
    STALE_LIST = "stale_list"
    SHUFFLE = "shuffle"
    DESCENDING = "descending"
    REPEAT = "repeat"
    BOM = "bom"
    NOT_UTF8 = "not_utf8"
    NOT_AN_ARRAY = "not_an_array"
    PRETTY_PRINT = "pretty_print"
    MODULE_OFF = "module_off"
    READ_ONLY_KEY = "read_only_key"
    CONFIRM_REFUSED = "confirm_refused"
    CONFIRM_IGNORED = "confirm_ignored"
    CONFIRM_ANSWER_LOST = "confirm_answer_lost"
    ODD_TYPES = "odd_types"


class _Rule(NamedTuple):
    routes: tuple[Route, ...]
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


_ANY: tuple[Route, ...] = ("list", "confirm")
_RULES = {
    FaultKind.LATENCY: _Rule(_ANY, needs=frozenset({"seconds"})),
    FaultKind.SLOW_BODY: _Rule(("list",), needs=frozenset({"seconds"})),
    FaultKind.THROTTLE: _Rule(_ANY, takes=frozenset({"retry_after_seconds", "retry_after_as"})),
    FaultKind.ERROR_STATUS: _Rule(_ANY, takes=frozenset({"status", "retry_after_seconds", "retry_after_as"})),
    FaultKind.REDIRECT: _Rule(_ANY),
    FaultKind.LOGIN_PAGE: _Rule(_ANY),
    FaultKind.DROP_BEFORE_ANSWER: _Rule(_ANY),
    FaultKind.INVALID_TOKEN: _Rule(_ANY),
    FaultKind.TRUNCATE: _Rule(("list",), takes=frozenset({"after_bytes"})),
    FaultKind.DROP_MID_BODY: _Rule(("list",), takes=frozenset({"after_bytes"})),
    FaultKind.STALE_LIST: _Rule(("list",), takes=frozenset({"seconds", "requests"})),
    FaultKind.SHUFFLE: _Rule(("list",)),
    FaultKind.DESCENDING: _Rule(("list",)),
    FaultKind.REPEAT: _Rule(("list",)),
    FaultKind.BOM: _Rule(("list",)),
    FaultKind.NOT_UTF8: _Rule(("list",)),
    FaultKind.NOT_AN_ARRAY: _Rule(("list",)),
    FaultKind.PRETTY_PRINT: _Rule(("list",)),
    FaultKind.MODULE_OFF: _Rule(("list",)),
    FaultKind.READ_ONLY_KEY: _Rule(("confirm",)),
    FaultKind.CONFIRM_REFUSED: _Rule(("confirm",), takes=frozenset({"status", "sync_ids"})),
    FaultKind.CONFIRM_IGNORED: _Rule(("confirm",), takes=frozenset({"sync_ids"})),
    FaultKind.CONFIRM_ANSWER_LOST: _Rule(("confirm",)),
    FaultKind.ODD_TYPES: _Rule(("save",)),
}
_EVERY_FAULT = {"kind", "route", "feed", "probability", "times"}


class Fault(BaseModel):
    """One switch: a kind, the requests it meets, and what the kind needs beside that."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"kind": "throttle", "retry_after_seconds": 2}]}
    )

    kind: FaultKind
    route: Route | None = Field(default=None, description="Only these requests; by default all that the kind can meet")
    feed: FeedName | None = Field(default=None, description="Only this feed; a confirm is of no feed")
    probability: float = Field(default=1.0, gt=0, le=1, description="How likely it meets a request")
    times: int | None = Field(default=None, gt=0, description="How many requests it meets before it is over")
    seconds: float | None = Field(default=None, ge=0, description="latency, slow_body: the wait; stale_list: how long")
    requests: int | None = Field(default=None, gt=0, description="stale_list: for how many list requests")
    status: int | None = Field(default=None, ge=400, le=599, description="The HTTP status; 503, of a refusal 403")
    retry_after_seconds: int | None = Field(default=None, ge=0, description="Retry-After; without it, no such header")
    retry_after_as: Literal["seconds", "date"] = Field(default="seconds", description="How Retry-After is written")
    after_bytes: int | None = Field(default=None, ge=0, description="Where the body ends; by default in its middle")
    sync_ids: Annotated[
        tuple[int, ...], Field(description="Only these notifications; by default the whole request")
    ] = ()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        rule = _RULES[self.kind]
        given = {name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default}
        if missing := rule.needs - given:
            msg = f"{self.kind} needs {', '.join(sorted(missing))}"
            raise ValueError(msg)
        if surplus := given - _EVERY_FAULT - rule.needs - rule.takes:
            msg = f"{self.kind} does not take {', '.join(sorted(surplus))}"
            raise ValueError(msg)
        if self.route is not None and self.route not in rule.routes:
            msg = f"{self.kind} meets {' and '.join(rule.routes)} requests only"
            raise ValueError(msg)
        if self.feed is not None and (self.route == "confirm" or rule.routes == ("confirm",)):
            msg = f"{self.kind} on a confirm cannot be for one feed: a confirm names no feed"
            raise ValueError(msg)
        return self

    def meets(self, route: Route, feed: FeedName | None) -> bool:
        """Whether such a request can meet this fault at all."""
        routes = (self.route,) if self.route else _RULES[self.kind].routes
        return route in routes and self.feed in (None, feed)


def parse_fault(text: str) -> Fault:
    """The fault a command line spells: `latency:seconds=0.2,probability=0.1`, `confirm_refused:sync_ids=11+12`.

    Raises:
        ConfigurationWrong: no such fault, or not spelled like that.
    """
    kind, _, rest = text.partition(":")
    given: dict[str, object] = {"kind": kind.strip()}
    for part in filter(None, rest.split(",")):
        name, _, value = part.partition("=")
        given[name.strip()] = value.strip().split("+") if name.strip() == "sync_ids" else value.strip()
    try:
        return Fault.model_validate(given)
    except ValidationError as wrong:
        problems = [
            f"fault {kind}: {'.'.join(map(str, e['loc']))} {e['msg']}".replace(":  ", ": ") for e in wrong.errors()
        ]
        raise ConfigurationWrong(problems) from wrong


class FaultState(BaseModel):
    """A fault that is switched on, and what it has done so far."""

    fault: Fault
    met: int = Field(description="How many requests met it")
    remaining: int | None = Field(description="How many more will; null: no end")


class Met(dict[FaultKind, Fault]):
    """The faults one request meets, by kind; of two of a kind the later one counts."""

    def first(self, *kinds: FaultKind) -> Fault | None:
        """The first of these kinds that the request meets."""
        return next((self[kind] for kind in kinds if kind in self), None)


class FaultSwitches:
    """The faults that are on. Not safe between threads by itself: the sandbox's lock is around it.

    Args:
        seed: with a probability below one, the same seed and the same requests meet the same faults.
    """

    def __init__(self, seed: int = 1) -> None:
        self._rng = Random(seed)  # noqa: S311 - reproducible chance, not a secret
        self._on: list[Fault] = []
        self._met: list[int] = []

    @property
    def any_on(self) -> bool:
        """Whether any fault is on, over or not."""
        return bool(self._on)

    def replace(self, faults: Sequence[Fault]) -> None:
        """Switch these on and all others off; counts begin anew."""
        self._on, self._met = list(faults), [0] * len(faults)

    def add(self, fault: Fault) -> None:
        """Switch one on beside the others."""
        self._on.append(fault)
        self._met.append(0)

    def remove(self, kind: FaultKind | None = None) -> None:
        """Switch off those of a kind, or all."""
        kept = [(f, n) for f, n in zip(self._on, self._met, strict=True) if kind is not None and f.kind != kind]
        self._on, self._met = [fault for fault, _ in kept], [met for _, met in kept]

    def draw(self, route: Route, feed: FeedName | None = None) -> Met:
        """The faults that one such request meets; those with a count of times are one nearer their end."""
        met = Met()
        for place, fault in enumerate(self._on):
            over = fault.times is not None and self._met[place] >= fault.times
            if over or not fault.meets(route, feed):
                continue
            if fault.probability == 1 or self._rng.random() < fault.probability:
                self._met[place] += 1
                met[fault.kind] = fault
        return met

    def states(self) -> list[FaultState]:
        """All that are on, in the order they were switched on."""
        return [
            FaultState(fault=fault, met=met, remaining=None if fault.times is None else max(fault.times - met, 0))
            for fault, met in zip(self._on, self._met, strict=True)
        ]
