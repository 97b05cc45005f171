"""The one boundary to the ERPs' HTTP: client, TLS, deadlines, and every failure mapped to what the loop does next.

Must not know what lists or confirms mean. It logs nothing, and follows no redirect.
"""

from __future__ import annotations

import time
from asyncio import timeout
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import httpx

from connector.erp.mapping import MAPPED, Code, Operation, code_of, failed, refusal
from connector.erp.splitting import login_page
from connector.erp.tls import TlsOptions, tls_context
from connector.errors import Blocked, ConfigurationWrong, Retriable

_KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which Node.js closes an idle connection, perhaps just as we ask again."""
_USER_AGENT = "cien-connector"


class RequestObserver(Protocol):
    """Who is told of requests; cheap, never raises."""

    def requested(self, operation: Operation, code: Code, seconds: float, response_bytes: int) -> None:
        """A request came to its end: the body's bytes as received, and the whole duration."""

    def throttled(self, seconds: float) -> None:
        """The ERP asked us to stay away for so long."""

    def beat(self) -> None:
        """Something moves: a piece of a list came in, or its turn is being waited for."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds."""

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    """Between two portions of an answer."""
    list_seconds: float = 900.0
    """For a whole list."""
    confirm_seconds: float = 8.0
    """For one confirm request."""


@dataclass(frozen=True, slots=True)
class SiteConnection:
    """How one ERP installation is reached."""

    base_url: str
    token: Callable[[], str] = field(repr=False)
    """Asked at every request, so that a rotated secret takes effect."""
    tls: TlsOptions = field(default_factory=TlsOptions)
    proxy: str | None = field(default=None, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to an ERP."""

    operation: Operation
    method: str
    path: str
    deadline_seconds: float
    content: bytes | None = None


class Answer:
    """A successful answer, its body still to come."""

    def __init__(self, response: httpx.Response, where: str) -> None:
        self._response = response
        self.status = response.status_code
        self.where = where
        """What is received, for messages."""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives.

        Raises:
            Blocked: login_page.
        """
        if "html" in self._response.headers.get("content-type", "").lower():
            raise login_page(self.where)
        is_plain = "content-encoding" not in self._response.headers
        async for chunk in self._response.aiter_raw() if is_plain else self._response.aiter_bytes():
            yield chunk


class Site:
    """One ERP installation, for all its feeds.

    Args:
        connection: how it is reached.

    Raises:
        ConfigurationWrong: base_url is no address.
    """

    def __init__(self, connection: SiteConnection) -> None:
        self._connection = connection
        self._base_url = connection.base_url.rstrip("/")
        self._host = _address(connection.base_url).netloc.decode("ascii")
        self._opened: httpx.AsyncClient | None = None

    @property
    def identity(self) -> str:
        """The address in its normal form, without credentials: equal for the same installation."""
        address = _address(self._base_url)
        return f"{address.scheme}://{self._host}{address.path.rstrip('/')}"

    @property
    def timeouts(self) -> Timeouts:
        """How long to wait, in seconds."""
        return self._connection.timeouts

    @asynccontextmanager
    async def exchange(self, request: Request, observer: RequestObserver) -> AsyncIterator[Answer]:
        """Ask, and hold the connection while the answer is read; leaving early closes it.

        Raises:
            Retriable: timeout, connect, protocol, truncated, proxy, http_429, http_5xx.
            Blocked: tls, unauthorized, forbidden, not_found, http_4xx, redirect, login_page, token, protocol, proxy.
        """
        where = f"{request.method} {request.path} at {self._host}"
        begun = time.monotonic()
        response: httpx.Response | None = None
        code: Code | None = None
        try:
            async with timeout(request.deadline_seconds):
                response = await self._send(request)
                try:
                    code = code_of(response.status_code)
                    self._refuse(request, response, where, observer)
                    yield Answer(response, where)
                finally:
                    await response.aclose()
        except MAPPED as error:
            code, mapped = failed(error, where, has_begun=response is not None)
            raise mapped from error
        finally:
            if code is not None:
                received = response.num_bytes_downloaded if response is not None else 0
                observer.requested(request.operation, code, time.monotonic() - begun, received)

    async def close(self) -> None:
        """Close all connections; allowed more than once."""
        if self._opened is not None:
            client, self._opened = self._opened, None
            await client.aclose()

    async def _send(self, request: Request) -> httpx.Response:
        client = self._client()
        headers = {"ApiToken": self._token()}
        if request.content is not None:
            headers["Content-Type"] = "application/json"
        url = self._base_url + request.path
        built = client.build_request(request.method, url, headers=headers, content=request.content)
        return await client.send(built, stream=True)

    def _client(self) -> httpx.AsyncClient:
        """The client, made at the first request so that a file it lacks blocks a feed and not the process."""
        if self._opened is None:
            timeouts = self._connection.timeouts
            try:
                self._opened = httpx.AsyncClient(
                    verify=tls_context(self._connection.tls),
                    proxy=self._connection.proxy,
                    timeout=httpx.Timeout(timeouts.read_seconds, connect=timeouts.connect_seconds),
                    limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_SECONDS),
                    headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": _USER_AGENT},
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    trust_env=False,
                    follow_redirects=False,
                )
            except ValueError:  # its text holds the whole address, password included
                raise Blocked("proxy", "proxy is no valid address: it has to look like http://host:port") from None
        return self._opened

    def _token(self) -> str:
        try:
            token = self._connection.token().strip()
        except (OSError, ValueError) as error:
            message = f"the API key for {self._host} cannot be read: check token_file"
            raise Blocked("token", message) from error
        if not token or not token.isascii() or not token.isprintable():
            message = f"the API key for {self._host} is empty or holds characters that no header can carry: check token"
            raise Blocked("token", message)
        return token

    def _refuse(self, request: Request, response: httpx.Response, where: str, observer: RequestObserver) -> None:
        error = refusal(response.status_code, response.headers, request.operation, where)
        if error is None:
            return
        if isinstance(error, Retriable) and error.retry_after_seconds is not None:
            observer.throttled(error.retry_after_seconds)
        raise error


def _address(base_url: str) -> httpx.URL:
    try:
        return httpx.URL(str(httpx.URL(base_url)))  # twice: an HTTPS in capitals hides the default port once
    except httpx.InvalidURL:
        raise ConfigurationWrong(["base_url is no valid address: it has to look like https://host:port"]) from None
