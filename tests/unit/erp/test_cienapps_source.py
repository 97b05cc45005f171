"""The Cienapps source against a real HTTP server."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from connector.erp.cienapps import CienappsSource
from connector.erp.http import Site, SiteConnection, Timeouts
from connector.errors import Blocked, ConfigurationWrong, ConnectorError, Retriable
from connector.model import Feed
from tests.fakes.raw_http import Answering, Asked, RawServer, answer, break_off, head, raw_server

TOKEN = "secret-token"
FEED = Feed("app", "plant", "order", "cienapps", "plant.order", "plant.order.dead-letter")
ORDERS = b'[{"SyncID": 12, "Order_Number": 2}, {"SyncID": 11, "Order_Number": 1}]'


@dataclass
class Watching:
    """Remembers what it is told."""

    requests: list[tuple[str, str, int]] = field(default_factory=list)
    throttles: list[float] = field(default_factory=list)
    beats: int = 0

    def requested(self, operation: str, code: str, seconds: float, response_bytes: int) -> None:
        assert seconds >= 0
        self.requests.append((operation, code, response_bytes))

    def throttled(self, seconds: float) -> None:
        self.throttles.append(seconds)

    def beat(self) -> None:
        self.beats += 1


@dataclass
class Setup:
    source: CienappsSource
    server: RawServer
    watching: Watching


@asynccontextmanager
async def erp(
    answering: Answering, timeouts: Timeouts | None = None, token: str = TOKEN, chunk: int = 500
) -> AsyncIterator[Setup]:
    async with raw_server(answering) as server:
        connection = SiteConnection(f"http://127.0.0.1:{server.port}/", lambda: token, timeouts=timeouts or Timeouts())
        site = Site(connection)
        watching = Watching()
        source = CienappsSource(FEED, site, asyncio.Semaphore(1), watching, confirm_chunk=chunk)
        try:
            yield Setup(source, server, watching)
        finally:
            await site.close()
            await site.close()


async def failure_of(answering: Answering, operation: str, timeouts: Timeouts | None = None) -> ConnectorError:
    async with erp(answering, timeouts) as setup:
        calls = {"offers": setup.source.offers, "pull": setup.source.pull, "confirm": lambda: setup.source.confirm([1])}
        with pytest.raises(ConnectorError) as raised:
            await calls[operation]()
    assert TOKEN not in raised.value.message
    return raised.value


async def test_a_list_is_asked_for_as_the_document_says() -> None:
    """GET, the feed's path, the key in its own header, and nothing that could compress or redirect."""
    async with erp(answer(ORDERS)) as setup:
        listing = await setup.source.pull()
        assert [one.sync_id for portion in listing.slices(10, 1000) for one in portion] == [11, 12]
        listing.close()
        asked = setup.server.asked[0]
        assert (asked.method, asked.path) == ("GET", "/api/sync/order/list")
        assert asked.headers["apitoken"] == TOKEN
        assert setup.watching.requests == [("list", "2xx", len(ORDERS))]


async def test_a_long_list_and_the_wait_for_its_turn_show_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that receives, or waits behind another feed's list, is not taken for dead."""
    monkeypatch.setattr("connector.erp.cienapps._BEAT_SECONDS", 0.01)
    async with erp(answer(ORDERS)) as setup:
        (await setup.source.pull()).close()
        received = setup.watching.beats
        assert received >= 1
        async with setup.source._list_turns:
            waiting = asyncio.create_task(setup.source.offers())
            async with asyncio.timeout(10):
                while setup.watching.beats < received + 3:  # noqa: ASYNC110  the beats are what is waited for
                    await asyncio.sleep(0)
            assert not waiting.done()
        assert await waiting


async def test_a_confirm_is_asked_for_as_the_document_says() -> None:
    """POST of an object with an array of SyncIDs, in chunks."""
    async with erp(answer(b"{}"), chunk=2) as setup:
        await setup.source.confirm([11, 12, 13])
        asked = setup.server.asked
        assert {(one.method, one.path) for one in asked} == {("POST", "/api/sync/confirm")}
        assert [json.loads(one.body) for one in asked] == [{"SyncID": [11, 12]}, {"SyncID": [13]}]
        assert asked[0].headers["content-type"] == "application/json"
        assert asked[0].headers["apitoken"] == TOKEN
        assert setup.server.connections == 1


async def test_nothing_to_confirm_asks_nothing() -> None:
    """No empty array is sent."""
    async with erp(answer()) as setup:
        await setup.source.confirm([])
        assert setup.server.asked == []


async def test_a_refused_chunk_ends_the_confirm() -> None:
    """What is behind it stays unsent."""
    async with erp(answer(status=403), chunk=1) as setup:
        with pytest.raises(Blocked, match="the API key may lack write permission"):
            await setup.source.confirm([1, 2, 3])
        assert len(setup.server.asked) == 1


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_success_without_a_page_confirms(status: int) -> None:
    """The document does not say what the answer's body is."""
    async with erp(answer(b"" if status == 204 else b'"ok"', status)) as setup:
        await setup.source.confirm([1])


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/html; charset=utf-8"}])
@pytest.mark.parametrize("operation", ["offers", "pull", "confirm"])
async def test_a_login_page_blocks(operation: str, headers: dict[str, str]) -> None:
    """With 200, whether it says that it is one or not."""
    error = await failure_of(answer(b" <!DOCTYPE html><p>Log in</p>", headers=headers), operation)
    assert (type(error), error.reason) == (Blocked, "login_page")


@pytest.mark.parametrize(
    ("status", "reason"), [(302, "redirect"), (401, "unauthorized"), (403, "forbidden"), (404, "not_found")]
)
@pytest.mark.parametrize("operation", ["offers", "pull", "confirm"])
async def test_a_refusal_blocks_and_is_not_followed(operation: str, status: int, reason: str) -> None:
    """One request, one error that names method, path and host."""
    async with erp(answer(status=status, headers={"Location": "/login"})) as setup:
        calls = {"offers": setup.source.offers, "pull": setup.source.pull, "confirm": lambda: setup.source.confirm([1])}
        with pytest.raises(Blocked) as raised:
            await calls[operation]()
        assert raised.value.reason == reason
        assert f"at 127.0.0.1:{setup.server.port}" in raised.value.message
        assert len(setup.server.asked) == 1


async def test_retry_after_is_honoured_and_counted() -> None:
    """The loop waits so long at least."""
    async with erp(answer(status=429, headers={"Retry-After": "17"})) as setup:
        with pytest.raises(Retriable) as raised:
            await setup.source.pull()
        assert raised.value.retry_after_seconds == 17
        assert setup.watching.throttles == [17]
        assert setup.watching.requests == [("list", "429", 0)]


async def test_a_server_that_is_gone_is_retried() -> None:
    """Nobody listens on the port."""
    async with erp(answer()) as setup:
        port = setup.server.port
    gone = Site(SiteConnection(f"http://127.0.0.1:{port}", lambda: "t"))
    watching = Watching()
    with pytest.raises(Retriable) as raised:
        await CienappsSource(FEED, gone, asyncio.Semaphore(1), watching).offers()
    await gone.close()
    assert raised.value.reason == "connect"
    assert watching.requests == [("list", "connect", 0)]


@pytest.mark.parametrize(
    "written",
    [
        head(headers={"Content-Length": "500"}) + ORDERS,
        head(headers={"Content-Length": "500"}) + ORDERS[:-1],
        head(headers={"Transfer-Encoding": "chunked"}) + b"%x\r\n%s\r\n" % (len(ORDERS), ORDERS),
        head(headers={"Connection": "close"}) + ORDERS[:-1],
        head(headers={"Connection": "close"}),
        head(headers={"Content-Length": "0"}),
    ],
    ids=["short body", "short list", "no last chunk", "list without end", "nothing at all", "empty body"],
)
async def test_a_list_that_is_not_complete_is_truncated(written: bytes) -> None:
    """By HTTP's own measure or by JSON's: nothing of it counts."""
    error = await failure_of(break_off(written), "pull")
    assert (type(error), error.reason) == (Retriable, "truncated")


@pytest.mark.parametrize("written", [b"", b"nonsense\r\n\r\n"])
async def test_an_answer_that_is_no_http_is_retried(written: bytes) -> None:
    """A server that hangs up while restarting, say."""
    error = await failure_of(break_off(written), "pull")
    assert (type(error), error.reason) == (Retriable, "protocol")


async def test_a_connection_that_ends_a_list_without_length_is_fine() -> None:
    """The closing bracket tells that it is complete."""
    async with erp(break_off(head(headers={"Connection": "close"}) + ORDERS)) as setup:
        listing = await setup.source.pull()
        assert listing.count == 2
        listing.close()


async def test_a_compressed_list_is_read_though_not_asked_for() -> None:
    """Some proxies do it all the same."""
    async with erp(answer(gzip.compress(ORDERS), headers={"Content-Encoding": "gzip"})) as setup:
        listing = await setup.source.pull()
        assert listing.count == 2
        listing.close()
    error = await failure_of(answer(b"not gzip", headers={"Content-Encoding": "gzip"}), "pull")
    assert (type(error), error.reason) == (Retriable, "protocol")


@pytest.mark.parametrize("status", [201, 204, 206])
async def test_success_without_a_list_is_not_an_empty_list(status: int) -> None:
    """Read as one it would hide what is pending."""
    for operation in ("offers", "pull"):
        error = await failure_of(answer(b"", status), operation)
        assert (type(error), error.reason) == (Blocked, "not_json_array")


async def _silent(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(head(headers={"Content-Length": "500"}) + b"[")
    await writer.drain()
    await asyncio.Event().wait()


@pytest.mark.parametrize("timeouts", [Timeouts(read_seconds=0.05), Timeouts(list_seconds=0.05, confirm_seconds=0.05)])
@pytest.mark.parametrize("operation", ["offers", "pull", "confirm"])
async def test_an_answer_that_stops_coming_times_out(operation: str, timeouts: Timeouts) -> None:
    """Between two portions, and as a whole."""
    error = await failure_of(_silent, operation, timeouts)
    assert (type(error), error.reason) == (Retriable, "timeout")


async def test_offers_stops_at_the_first_record() -> None:
    """The rest is not waited for."""

    async def answering(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(headers={"Content-Length": "1000000"}) + b' [ {"')
        await writer.drain()
        await asyncio.Event().wait()

    async with erp(answering) as setup:
        assert await setup.source.offers()
        assert setup.watching.requests == [("list", "2xx", 5)]


async def test_an_empty_list_offers_nothing() -> None:
    """And the connection serves the next request."""
    async with erp(answer(b"\xef\xbb\xbf [ ]\n")) as setup:
        assert not await setup.source.offers()
        assert not await setup.source.offers()
        assert setup.server.connections == 1


@pytest.mark.parametrize("body", [b"", b"[", b" ["])
async def test_an_empty_list_counts_when_complete(body: bytes) -> None:
    """A bracket without its partner offers nothing to rely on."""
    error = await failure_of(answer(body), "offers")
    assert (type(error), error.reason) == (Retriable, "truncated")


async def test_one_list_at_a_time_and_confirms_beside_it() -> None:
    """The feeds of a site share the turns."""
    in_hand = most = 0
    go_on = asyncio.Event()
    confirmed = asyncio.Event()

    async def answering(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal in_hand, most
        if asked.method == "POST":
            confirmed.set()
        else:
            in_hand += 1
            most = max(most, in_hand)
            await go_on.wait()
            in_hand -= 1
        writer.write(head(headers={"Content-Length": "2"}) + b"[]")

    async with raw_server(answering) as server:
        site = Site(SiteConnection(f"http://127.0.0.1:{server.port}", lambda: "t"))
        turns = asyncio.Semaphore(1)
        sources = [
            CienappsSource(replace(FEED, name=name), site, turns, Watching())
            for name in ("order", "quotation", "workorder")
        ]
        offers = [asyncio.create_task(source.offers()) for source in sources]
        await sources[0].confirm([1])
        assert confirmed.is_set()
        go_on.set()
        assert await asyncio.gather(*offers) == [False, False, False]
        await site.close()
    assert most == 1


async def test_a_failed_list_gives_its_turn_back() -> None:
    """A broken feed does not stop its neighbours."""
    async with erp(answer(status=500)) as setup:
        for _ in range(3):
            with pytest.raises(Retriable):
                await setup.source.pull()


async def test_a_token_that_cannot_be_read_any_more_blocks_the_feed() -> None:
    """A rotation that is not atomic leaves no file for a moment: the process and its other feeds go on."""

    def gone() -> str:
        message = "the file cannot be read: no such file"
        raise ValueError(message)

    async with raw_server(answer(ORDERS)) as server:
        site = Site(SiteConnection(f"http://127.0.0.1:{server.port}", gone))
        with pytest.raises(Blocked, match="token_file") as raised:
            await CienappsSource(FEED, site, asyncio.Semaphore(1), Watching()).pull()
        await site.close()
    assert raised.value.reason == "token"


async def test_a_rotated_token_takes_effect() -> None:
    """It is asked for at every request."""
    tokens = iter(["first\n", "second\n"])
    async with raw_server(answer()) as server:
        site = Site(SiteConnection(f"http://127.0.0.1:{server.port}", lambda: next(tokens)))
        source = CienappsSource(FEED, site, asyncio.Semaphore(1), Watching())
        await source.offers()
        await source.offers()
        await site.close()
    assert [asked.headers["apitoken"] for asked in server.asked] == ["first", "second"]


@pytest.mark.parametrize("token", ["", " \n", "clé", "a\nb", "a\x00b"])
async def test_a_token_that_no_header_can_carry_blocks(token: str) -> None:
    """And is not shown."""
    async with erp(answer(), token=token) as setup:
        with pytest.raises(Blocked, match="check token") as raised:
            await setup.source.offers()
        assert raised.value.reason == "token"
        assert raised.value.__context__ is None
        assert setup.server.asked == []


async def test_a_token_file_that_cannot_be_read_blocks() -> None:
    """The other feeds, of other sites, go on."""

    def missing() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    site = Site(SiteConnection("http://127.0.0.1:1", missing))
    with pytest.raises(Blocked, match="token_file"):
        await CienappsSource(FEED, site, asyncio.Semaphore(1), Watching()).offers()
    await site.close()


async def test_the_environments_proxy_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the explicit one counts."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with erp(answer()) as setup:
        assert not await setup.source.offers()


async def test_a_proxy_of_no_valid_address_blocks() -> None:
    """Its password is not shown."""
    site = Site(SiteConnection("http://127.0.0.1:1", lambda: "t", proxy="gopher://user:hidden@127.0.0.1"))
    with pytest.raises(Blocked, match="proxy") as raised:
        await CienappsSource(FEED, site, asyncio.Semaphore(1), Watching()).offers()
    assert "hidden" not in raised.value.message


def test_a_base_url_of_no_valid_address_is_a_wrong_configuration() -> None:
    """Found when the parts are made."""
    with pytest.raises(ConfigurationWrong):
        Site(SiteConnection("https://erp:notaport", lambda: "t"))


def fingerprint(base_url: str, kind: str = "cienapps") -> str:
    site = Site(SiteConnection(base_url, lambda: "t"))
    return CienappsSource(replace(FEED, kind=kind), site, asyncio.Semaphore(1), Watching()).fingerprint


def test_the_fingerprint_tells_installations_apart() -> None:
    """Spelling does not count, credentials neither; host, port, path and kind do."""
    same = ["https://erp.example", "HTTPS://ERP.example:443/", "https://user:password@erp.example"]
    assert len({fingerprint(url) for url in same}) == 1
    other = ["https://erp.example", "https://erp.example:8443", "https://erp.example/a", "http://erp.example"]
    assert len({fingerprint(url) for url in other}) == 4
    assert fingerprint("https://erp.example") != fingerprint("https://erp.example", "other")
