"""What every failure of an HTTP exchange means for the loop: one table for httpx's exceptions, one for statuses.

Must not know what is exchanged. No text of a foreign exception gets into a message: it may hold what was received.
"""

from __future__ import annotations

import os
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal, NamedTuple

import httpx

from connector.erp.tls import causes, explain, tls_error_in
from connector.errors import Blocked, ConnectorError, Retriable

Operation = Literal["list", "confirm"]
Code = Literal["2xx", "401", "403", "404", "429", "4xx", "5xx", "timeout", "connect", "tls", "other"]

RETRY_AFTER_CAP_SECONDS: Final = 3600.0


class Meaning(NamedTuple):
    """What a foreign exception means: the error to raise, its reason, the metric's code, and words."""

    kind: type[Retriable | Blocked]
    reason: str
    code: Code
    words: str


_SETTINGS = "check base_url and proxy"
_DEFECT = "this program used its HTTP client wrongly: please report it"

MEANINGS: Final[dict[type[BaseException], Meaning]] = {
    httpx.ConnectTimeout: Meaning(Retriable, "timeout", "timeout", "no connection in time"),
    httpx.PoolTimeout: Meaning(Retriable, "timeout", "timeout", "no connection was free in time"),
    httpx.TimeoutException: Meaning(Retriable, "timeout", "timeout", "no answer in time"),
    TimeoutError: Meaning(Retriable, "timeout", "timeout", "not complete within its deadline"),
    httpx.ConnectError: Meaning(Retriable, "connect", "connect", "no connection"),
    httpx.NetworkError: Meaning(Retriable, "connect", "connect", "the connection broke"),
    httpx.ProxyError: Meaning(Retriable, "proxy", "connect", "the proxy made no connection: check proxy if it lasts"),
    httpx.UnsupportedProtocol: Meaning(Blocked, "protocol", "other", f"no http or https address: {_SETTINGS}"),
    httpx.LocalProtocolError: Meaning(Blocked, "protocol", "other", f"the request cannot be written: {_SETTINGS}"),
    httpx.RemoteProtocolError: Meaning(Retriable, "protocol", "connect", "it hung up, or answered with no valid HTTP"),
    httpx.ProtocolError: Meaning(Retriable, "protocol", "other", "no valid HTTP"),
    httpx.DecodingError: Meaning(Retriable, "protocol", "other", "the answer cannot be decompressed"),
    httpx.TooManyRedirects: Meaning(Blocked, "redirect", "other", "it redirects: base_url must be the final address"),
    httpx.HTTPError: Meaning(Retriable, "protocol", "other", "the exchange failed"),
    httpx.InvalidURL: Meaning(Blocked, "protocol", "other", f"no valid address: {_SETTINGS}"),
    httpx.CookieConflict: Meaning(Blocked, "protocol", "other", _DEFECT),
    httpx.StreamError: Meaning(Blocked, "protocol", "other", _DEFECT),
    OSError: Meaning(Retriable, "connect", "connect", "the connection broke"),
}
"""By exception class; the nearest ancestor counts. What is not here is not the network's failure but ours."""

MAPPED: Final = tuple(MEANINGS)

_BROKEN_OFF: Final = (httpx.RemoteProtocolError, httpx.NetworkError, OSError)


def meaning_of(error: BaseException) -> Meaning:
    """The entry of the nearest ancestor of the error's class."""
    return next(MEANINGS[ancestor] for ancestor in type(error).__mro__ if ancestor in MEANINGS)


def failed(error: BaseException, where: str, *, has_begun: bool) -> tuple[Code, ConnectorError]:
    """The metric's code and the error to raise for a foreign exception; `has_begun` once the answer's head is read."""
    if (refused := tls_error_in(error)) is not None:
        return "tls", Blocked("tls", f"{where}: {explain(refused)}")
    meaning = meaning_of(error)
    if has_begun and isinstance(error, _BROKEN_OFF) and meaning.reason != "timeout":
        message = f"{where} ended in the middle of the answer: nothing of it counts"
        return meaning.code, Retriable("truncated", message)
    if isinstance(error, httpx.ProxyError) and str(error).startswith("407"):
        message = f"{where}: the proxy wants a name and password, which proxy cannot hold: have it admit this machine"
        return meaning.code, Blocked("proxy", message)
    return meaning.code, meaning.kind(meaning.reason, f"{where}: {meaning.words}{_detail(error)}")


def _detail(error: BaseException) -> str:
    """What the operating system said, where it said something."""
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return " (the host's name is not known here)"
        if isinstance(cause, ssl.SSLError):
            return " (the other side hung up during TLS)"
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return f" ({os.strerror(cause.errno).lower()})"
    return ""


def code_of(status: int) -> Code:
    """The metric's code for a status."""
    exact: dict[int, Code] = {401: "401", 403: "403", 404: "404", 429: "429"}
    by_hundreds: dict[int, Code] = {2: "2xx", 4: "4xx", 5: "5xx"}
    return exact.get(status) or by_hundreds.get(status // 100, "other")


def refusal(status: int, headers: httpx.Headers, operation: Operation, where: str) -> ConnectorError | None:
    """The error that a status means, None for one of success."""
    said = f"{where} answered {status}"
    if status // 100 == 2:  # noqa: PLR2004  the class of success, RFC 9110 section 15
        return None
    if status in {408, 429} or status // 100 == 5:  # noqa: PLR2004  RFC 9110 section 15.6
        return _come_back_later(status, headers, said)
    if status in {401, 403}:
        reason = "unauthorized" if status == 401 else "forbidden"  # noqa: PLR2004  RFC 9110 section 15.5.2
        return Blocked(reason, f"{said}: {_KEY_REMEDIES[operation]}")
    if status == 404:  # noqa: PLR2004  RFC 9110 section 15.5.5
        return Blocked("not_found", f"{said}: check base_url, and that the ERP's version has this API")
    if status // 100 == 3:  # noqa: PLR2004  RFC 9110 section 15.4
        return Blocked("redirect", f"{said}, a redirect, which is not followed: base_url must be the final address")
    return Blocked("http_4xx", f"{said}: check base_url, and that the ERP's version has this API")


_KEY_REMEDIES: Final[dict[Operation, str]] = {
    "list": "check the API key (token or token_file), and that it is still valid and may read",
    "confirm": "the API key may lack write permission: give it in the ERP's general settings,"
    " or set confirm: never to leave the ERP untouched",
}


def _come_back_later(status: int, headers: httpx.Headers, said: str) -> Retriable:
    seconds = retry_after_seconds(headers.get("retry-after")) if status in {429, 503} else None
    reason = {408: "timeout", 429: "http_429"}.get(status, "http_5xx")
    asked = "" if seconds is None else f" and asked to come back in {seconds:.0f} s"
    return Retriable(reason, f"{said}{asked}", retry_after_seconds=seconds)


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float | None:
    """Retry-After in seconds or as a date (RFC 9110 section 10.2.3), at most an hour; None when it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), RETRY_AFTER_CAP_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return min(seconds, RETRY_AFTER_CAP_SECONDS) if seconds > 0 else None
