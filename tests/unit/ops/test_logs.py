"""What is written, by whom and how often."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
import structlog

from connector.errors import Blocked
from connector.model import State
from connector.ops.feed_log import FeedLog
from connector.ops.logs import RepeatLimit, configure_logs, get_logger, log_uncaught_in_loop
from tests.fakes.hand_clock import HandClock

CANARY = "c4n4ry-Tremblay"
Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook
    stream = io.StringIO()
    configure_logs("info", "json", secrets=["kn0wn-secret"], stream=stream)
    yield stream
    root.handlers[:], level, logging.raiseExceptions, sys.excepthook, threading.excepthook = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def lines(written: io.StringIO) -> Lines:
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def fail() -> None:
    name = CANARY
    try:
        int(name)
    except ValueError as error:
        raise KeyError(name, "kn0wn-secret") from error


def test_line_is_one_json_object(lines: Lines) -> None:
    """In production every line is an object with time, level, logger and event."""
    get_logger("connector.app").info("started", port=9108, site="montreal")
    [line] = lines()
    assert (line["event"], line["level"], line["logger"]) == ("started", "info", "connector.app")
    assert (line["port"], line["site"]) == (9108, "montreal")
    assert str(line["timestamp"]).endswith("Z")


def test_level_is_kept(lines: Lines) -> None:
    """Lines below the level are not written."""
    get_logger("connector.app").debug("detail")
    assert lines() == []


def test_libraries_come_out_here_too_but_only_warnings(lines: Lines) -> None:
    """Httpx's full URLs at INFO stay out; a library's warning has the same shape as ours, cleaned."""
    for name in ("httpx", "httpcore", "aiokafka.consumer", "uvicorn.error", "asyncio"):
        logging.getLogger(name).info("GET https://erp.example/?key=%s", CANARY)
    logging.getLogger("httpx").warning("GET https://erp.example/?key=%s", CANARY)
    [line] = lines()
    assert line["event"] == "GET https://erp.example/?[redacted]"
    assert line["level"] == "warning"


def test_exception_tells_types_and_places_only(written: io.StringIO, lines: Lines) -> None:
    """A traceback shows where, never a value: neither locals, nor source lines, nor what a message quotes."""
    try:
        fail()
    except KeyError:
        get_logger("connector.app").exception("went wrong")
    assert CANARY not in written.getvalue()
    assert "kn0wn-secret" not in written.getvalue()
    [line] = lines()
    exception = line["exception"]
    assert isinstance(exception, dict)
    assert exception["type"] == "KeyError"
    assert exception["frames"][-1].endswith(" in fail")
    assert exception["cause"]["type"] == "ValueError"
    assert exception["cause"]["message"] == "invalid literal for int() with base 10: [redacted]"


def test_message_of_our_own_errors_is_shown(lines: Lines) -> None:
    """Our errors hold no value by contract, so their quotes are kept."""
    message = "site 'montreal' refuses the key: look at 'token_file'"
    get_logger("connector.app").error("stopping", exc_info=Blocked("refused", message))
    [line] = lines()
    assert isinstance(line["exception"], dict)
    assert line["exception"]["message"] == message


def test_exception_group_tells_its_parts(lines: Lines) -> None:
    """What several tasks raised together is told one by one."""
    group = ExceptionGroup("tasks", [ValueError(f"'{CANARY}'"), OSError(2, "gone", "/etc/ca.pem")])
    get_logger("connector.app").error("stopping", exc_info=group)
    [line] = lines()
    assert isinstance(line["exception"], dict)
    parts = line["exception"]["exceptions"]
    assert [part["type"] for part in parts] == ["ValueError", "FileNotFoundError"]
    assert [part["message"] for part in parts] == ["[redacted]", "[Errno 2] gone: '/etc/ca.pem'"]


def test_uncaught_exception_is_one_line(written: io.StringIO, lines: Lines) -> None:
    """A crash of the main thread or another one is a line like any other."""
    for hook in (
        lambda error: sys.excepthook(type(error), error, error.__traceback__),
        lambda error: threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None))),
    ):
        try:
            fail()
        except KeyError as error:
            hook(error)
    assert [line["event"] for line in lines()] == ["unhandled exception"] * 2
    assert CANARY not in written.getvalue()


async def test_exception_nobody_awaited_is_one_line(written: io.StringIO, lines: Lines) -> None:
    """What a task left uncaught shows its type and place, not its value."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_uncaught_in_loop)
    loop.call_soon(fail)
    await asyncio.sleep(0)
    [line] = lines()
    assert line["event"] == "unhandled exception"
    assert CANARY not in written.getvalue()


def test_console_is_readable_and_redacted(written: io.StringIO) -> None:
    """On a terminal a line is text; what is taken out is the same."""
    configure_logs("info", "console", stream=written)
    try:
        fail()
    except KeyError:
        get_logger("connector.app").exception("went wrong", token=CANARY)
    assert "went wrong" in written.getvalue()
    assert "from ValueError: invalid literal" in written.getvalue()
    assert CANARY not in written.getvalue()


def test_auto_is_json_where_there_is_no_terminal(written: io.StringIO, lines: Lines) -> None:
    """A pipe gets JSON."""
    configure_logs("info", "auto", stream=written)
    get_logger("connector.app").info("started")
    assert lines()[0]["event"] == "started"


def test_line_that_cannot_be_made_is_not_shown_raw(written: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """A library's wrong format string does not print its arguments beside the log."""
    logging.getLogger("aiokafka").warning("%d records", CANARY)
    assert CANARY not in written.getvalue() + capsys.readouterr().err


def test_flood_is_one_line_a_minute(clock: HandClock) -> None:
    """A broker that is down is said once a minute, with how often it was not said."""
    limit = RepeatLimit(clock)

    def passes(name: str, node: int) -> logging.LogRecord | None:
        record = logging.LogRecord(name, logging.ERROR, "", 1, "Unable connect to node with id %s", (node,), None)
        return record if limit.filter(record) else None

    assert passes("aiokafka", 0) is not None
    for node in range(50):
        clock.move(1)
        assert passes("aiokafka", node) is None
    clock.move(10)
    record = passes("aiokafka", 1)
    assert record is not None
    assert vars(record)["suppressed"] == 50
    assert all(passes("connector.app", 1) for _ in range(5))


def test_flood_is_held_back_from_the_log(lines: Lines) -> None:
    """The limit stands between the libraries and the log."""
    for node in range(10):
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", node)
    assert [line["event"] for line in lines()] == ["Unable connect to node with id 0"]


def test_flood_tells_how_much_it_left_out(lines: Lines) -> None:
    """The number of lines left out is a field of the next one."""
    logging.getLogger("aiokafka").error("Unable connect", extra={"suppressed": 50})
    assert lines()[0]["suppressed"] == 50


def test_feed_is_told_of_when_it_changes(lines: Lines, clock: HandClock) -> None:
    """Blocked once, recovered once; the same trouble again is not told again."""
    log = FeedLog("montreal", "order", clock)
    for _ in range(3):
        log.state(State.BLOCKED, "login_page", "the ERP answered with a login page")
    log.state(State.DELIVERING, None, None)
    log.state(State.CAUGHT_UP, None, None)
    assert [(line["event"], line.get("reason")) for line in lines()] == [
        ("feed blocked", "login_page"),
        ("feed recovered", None),
    ]
    assert lines()[0]["why"] == "the ERP answered with a login page"
    assert (lines()[0]["site"], lines()[0]["feed"]) == ("montreal", "order")


def test_feed_that_comes_and_goes_is_told_of_every_five_minutes(lines: Lines, clock: HandClock) -> None:
    """A trouble that flaps every few seconds does not fill the log."""
    log = FeedLog("montreal", "order", clock)
    for _ in range(100):
        log.state(State.BACKING_OFF, "timeout", "the ERP did not answer in time")
        log.state(State.CAUGHT_UP, None, None)
        clock.move(6)
    assert len(lines()) == 4
