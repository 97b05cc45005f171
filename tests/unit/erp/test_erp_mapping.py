"""What foreign failures become."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from connector.erp.mapping import MAPPED, MEANINGS, code_of, failed, meaning_of, refusal, retry_after_seconds
from connector.errors import Blocked, Retriable

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REASONS = {"timeout", "connect", "proxy", "protocol", "redirect"}


def tree(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def httpx_exceptions() -> list[type[BaseException]]:
    named = [getattr(httpx, name) for name in httpx.__all__]
    roots = [value for value in named if isinstance(value, type) and issubclass(value, Exception)]
    return sorted({child for root in roots for child in tree(root)}, key=lambda child: child.__name__)


@pytest.mark.parametrize("exception", httpx_exceptions())
def test_every_exception_of_httpx_is_mapped(exception: type[BaseException]) -> None:
    """None can escape the boundary."""
    assert issubclass(exception, MAPPED)
    nearest = next(ancestor for ancestor in exception.__mro__ if ancestor in MEANINGS)
    assert nearest is not OSError
    assert MEANINGS[nearest].reason in REASONS


def test_the_walk_sees_the_whole_tree() -> None:
    """The test above would not notice an empty walk."""
    assert {httpx.ReadError, httpx.PoolTimeout, httpx.InvalidURL, httpx.ResponseNotRead} <= set(httpx_exceptions())


def test_the_nearest_ancestor_counts() -> None:
    """A deadline of our own is a timeout though Python calls it an OSError."""
    assert meaning_of(TimeoutError()).reason == "timeout"
    assert meaning_of(httpx.ReadTimeout("")).reason == "timeout"
    assert meaning_of(httpx.ReadError("")).reason == "connect"


def test_no_text_of_a_foreign_exception_gets_into_a_message() -> None:
    """h11 quotes what it received."""
    code, error = failed(httpx.RemoteProtocolError("illegal header line: secret"), "GET /x at h", has_begun=False)
    assert code == "connect"
    assert "secret" not in error.message


@pytest.mark.parametrize("broken", [httpx.ReadError(""), httpx.RemoteProtocolError(""), ConnectionResetError()])
def test_an_answer_that_breaks_off_is_truncated(broken: Exception) -> None:
    """Once its head was read."""
    assert failed(broken, "x", has_begun=True)[1].reason == "truncated"
    assert failed(broken, "x", has_begun=False)[1].reason in {"connect", "protocol"}


def test_an_answer_that_stops_coming_is_a_timeout() -> None:
    """Whether its head was read or not."""
    for error in (httpx.ReadTimeout(""), TimeoutError()):
        assert failed(error, "x", has_begun=True)[1].reason == "timeout"


def test_a_proxy_that_wants_credentials_needs_a_person() -> None:
    """Any other failure of the proxy may pass."""
    assert isinstance(failed(httpx.ProxyError("407 Authentication Required"), "x", has_begun=False)[1], Blocked)
    assert isinstance(failed(httpx.ProxyError("502 Bad Gateway"), "x", has_begun=False)[1], Retriable)


@pytest.mark.parametrize(
    ("status", "kind", "reason", "words"),
    [
        (301, Blocked, "redirect", "base_url"),
        (302, Blocked, "redirect", "base_url"),
        (304, Blocked, "redirect", "base_url"),
        (400, Blocked, "http_4xx", "base_url"),
        (401, Blocked, "unauthorized", "API key"),
        (403, Blocked, "forbidden", "API key"),
        (404, Blocked, "not_found", "base_url"),
        (408, Retriable, "timeout", "408"),
        (418, Blocked, "http_4xx", "base_url"),
        (429, Retriable, "http_429", "429"),
        (500, Retriable, "http_5xx", "500"),
        (503, Retriable, "http_5xx", "503"),
        (599, Retriable, "http_5xx", "599"),
    ],
)
def test_a_status_means_what_the_loop_does_next(status: int, kind: type[Exception], reason: str, words: str) -> None:
    """And the message says what to do."""
    error = refusal(status, httpx.Headers(), "list", "GET /x at erp.example")
    assert error is not None
    assert (type(error), error.reason) == (kind, reason)
    assert words in error.message
    assert "GET /x at erp.example" in error.message


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_confirm_points_at_the_write_permission(status: int) -> None:
    """The document: by default, read and write permissions are required."""
    error = refusal(status, httpx.Headers(), "confirm", "POST /x")
    assert error is not None
    assert "the API key may lack write permission" in error.message


def test_success_is_no_refusal() -> None:
    """Any of its class."""
    assert refusal(200, httpx.Headers(), "list", "x") is None
    assert refusal(204, httpx.Headers(), "confirm", "x") is None


@pytest.mark.parametrize(("status", "seconds"), [(429, 7.0), (503, 7.0), (500, None), (408, None)])
def test_retry_after_counts_where_it_is_defined(status: int, seconds: float | None) -> None:
    """With 429 and 503."""
    error = refusal(status, httpx.Headers({"Retry-After": "7"}), "list", "x")
    assert isinstance(error, Retriable)
    assert error.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("999999", 3600.0),
        ("9" * 5000, 3600.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 07:00:30 -0500", 30.0),
        ("Sun, 01 Mar 2026 11:59:30 GMT", None),
        ("Tue, 01 Mar 2035 12:00:30 GMT", 3600.0),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
        ("Sun, 01 Mar 99999 12:00:30 GMT", None),
        ("Sun, 01 Mar 2026 12:00:30 +99999999999999", None),
        ("Sun Mar  1 12:00:30 2026", 30.0),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str | None, seconds: float | None) -> None:
    """Anything else, and the past, says nothing; an hour is the most."""
    assert retry_after_seconds(value, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, "2xx"), (204, "2xx"), (302, "other"), (401, "401"), (403, "403"), (404, "404"), (429, "429"), (410, "4xx")],
)
def test_statuses_are_counted_under_few_codes(status: int, code: str) -> None:
    """A metric's label is bounded."""
    assert code_of(status) == code
