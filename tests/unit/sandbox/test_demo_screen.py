"""What the demo shows is readable on a terminal, in a pipe, and by a script."""

from __future__ import annotations

import json

import pytest

from connector.sandbox.demo_judge import Figures, Shown
from connector.sandbox.demo_screen import Screen


@pytest.fixture(autouse=True)
def _no_wishes_about_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's owner wants of colours is not what is tested."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


FIGURES = Figures(
    created=3,
    published=2,
    confirmed=3,
    duplicated=0,
    lost=1,
    pending=0,
    unexpected=0,
    lag=None,
    records_per_second=1.5,
)


def shown(sync_id: int, *, is_repeated: bool = False) -> Shown:
    value = {"Order_Number": 4711, "Order_Step_Desc": "02 - IN PRODUCTION " * 9, "Customer_Company_Name": "LE MÉLÈZE"}
    return Shown("order", 3, str(sync_id), value, is_repeated)


def test_record_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Feed, partition, SyncID, business key, step and customer, however long they are."""
    Screen(as_json=False).record(shown(12), 0.0)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:5] == ["order", "p3", "SyncID", "12", "4711"]
    assert line.endswith("… LE MÉLÈZE")


def test_many_records_in_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    """Only some are shown, the line of counts says how many, and the next second shows some again."""
    screen = Screen(as_json=False)
    for number in range(1000):
        screen.record(shown(number), 0.5)
    assert len(capsys.readouterr().out.splitlines()) == 20
    screen.counts(FIGURES, 1.0)
    assert "20 of 1,000 records shown" in capsys.readouterr().out
    screen.record(shown(1000), 1.5)
    assert capsys.readouterr().out


def test_repeated_record_is_always_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A doubled record is never hidden among many."""
    screen = Screen(as_json=False)
    for number in range(1000):
        screen.record(shown(number), 0.5)
    screen.record(shown(1, is_repeated=True), 0.5)
    assert capsys.readouterr().out.splitlines()[-1].startswith("SEEN BEFORE order")


def test_screen_for_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output takes the object alone, everything else goes to standard error."""
    screen = Screen(as_json=True)
    screen.record(shown(1), 0.0)
    screen.table(FIGURES)
    screen.result({"lost": 1})
    written = capsys.readouterr()
    assert json.loads(written.out) == {"lost": 1}
    assert "lost" in written.err


def test_no_colours_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape codes are for terminals."""
    screen = Screen(as_json=False)
    screen.record(shown(1, is_repeated=True), 0.0)
    screen.counts(FIGURES, 1.0)
    screen.table(FIGURES)
    screen.result({})
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "unknown  age of the oldest pending notification" in out
