"""The fault switches: which requests they meet, how often, and how they are spelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from connector.errors import ConfigurationWrong
from connector.sandbox.faults import Fault, FaultKind, FaultSwitches, parse_fault


def _on(*faults: Fault, seed: int = 1) -> FaultSwitches:
    switches = FaultSwitches(seed)
    switches.replace(faults)
    return switches


def test_times() -> None:
    """A fault with a count of times meets so many requests and no more."""
    switches = _on(Fault(kind=FaultKind.BOM, times=2))
    assert [FaultKind.BOM in switches.draw("list", "order") for _ in range(4)] == [True, True, False, False]
    assert switches.states()[0].remaining == 0


def test_probability_is_seeded() -> None:
    """The same seed lets the same requests meet a fault, about as many as its probability says."""
    draws = [
        [bool(switches.draw("list", "order")) for _ in range(400)]
        for switches in (_on(Fault(kind=FaultKind.BOM, probability=0.25), seed=3) for _ in range(2))
    ]
    assert draws[0] == draws[1]
    assert 60 < sum(draws[0]) < 140


def test_one_feed() -> None:
    """A fault of one feed meets neither the other feeds nor confirms."""
    switches = _on(Fault(kind=FaultKind.THROTTLE, feed="order"))
    assert switches.draw("list", "order")
    assert not switches.draw("list", "quotation")
    assert not switches.draw("confirm")


def test_route() -> None:
    """A fault of the confirm route does not meet lists."""
    switches = _on(Fault(kind=FaultKind.LATENCY, seconds=1, route="confirm"))
    assert switches.draw("confirm")
    assert not switches.draw("list", "order")


def test_remove_one_kind() -> None:
    """Removing a kind leaves the others on, counts included."""
    switches = _on(Fault(kind=FaultKind.BOM), Fault(kind=FaultKind.SHUFFLE))
    switches.draw("list", "order")
    switches.remove(FaultKind.BOM)
    assert [(state.fault.kind, state.met) for state in switches.states()] == [(FaultKind.SHUFFLE, 1)]
    switches.remove()
    assert not switches.any_on


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "latency"},
        {"kind": "bom", "seconds": 1},
        {"kind": "bom", "route": "confirm"},
        {"kind": "confirm_refused", "feed": "order"},
        {"kind": "latency", "seconds": 1, "route": "confirm", "feed": "order"},
        {"kind": "bom", "probability": 0},
        {"kind": "error_status", "status": 200},
        {"kind": "nonsense"},
    ],
)
def test_impossible_faults(wrong: dict[str, object]) -> None:
    """A fault that cannot be carried out as given is refused, not ignored in part."""
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)


def test_parse() -> None:
    """A fault can be spelled on a command line."""
    assert parse_fault("latency:seconds=0.2,probability=0.1") == Fault(
        kind=FaultKind.LATENCY, seconds=0.2, probability=0.1
    )
    assert parse_fault("confirm_refused:sync_ids=11+12,status=500").sync_ids == (11, 12)
    assert parse_fault("module_off") == Fault(kind=FaultKind.MODULE_OFF)


@pytest.mark.parametrize("text", ["", "nonsense", "latency", "latency:seconds=fast", "bom:colour=red"])
def test_parse_nonsense(text: str) -> None:
    """A fault spelled wrong is a configuration error that says which."""
    with pytest.raises(ConfigurationWrong, match=f"fault {text.partition(':')[0]}"):
        parse_fault(text)


def test_every_kind_is_documented() -> None:
    """docs/sandbox.md has a row for each fault."""
    page = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert [kind for kind in FaultKind if f"| `{kind}` |" not in page] == []
