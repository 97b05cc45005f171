"""Each fault of the sandbox's Cienapps, seen by a client over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from connector.sandbox.faults import Fault
from connector.sandbox.serve import SandboxOptions, Served, serving_in_thread

_LIST = "/api/sync/order/list"
_CONFIRM = "/api/sync/confirm"
Switch = Callable[..., None]


@pytest.fixture
def served() -> Iterator[Served]:
    with serving_in_thread(SandboxOptions()) as served:
        served.sandbox.create(300, "order")
        yield served


@pytest.fixture
def erp(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.base_url, headers={"ApiToken": "sandbox-token"}, trust_env=False) as client:
        yield client


@pytest.fixture
def switch(served: Served) -> Switch:
    def switch_on(kind: str, **options: object) -> None:
        with served.sandbox.lock:
            served.sandbox.faults.add(Fault.model_validate({"kind": kind, **options}))

    return switch_on


def _pending(served: Served) -> list[int]:
    return [one.sync_id for one in served.sandbox.pending("order")]


@pytest.mark.parametrize(("method", "path", "body"), [("GET", _LIST, None), ("POST", _CONFIRM, {"SyncID": [1]})])
class TestAnyRequest:
    """Faults that meet lists and confirms alike; a confirm that meets one changes nothing."""

    @pytest.fixture(autouse=True)
    def nothing_is_confirmed(self, served: Served) -> Iterator[None]:
        yield
        assert len(_pending(served)) == 300

    def test_latency(self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object) -> None:
        """The answer takes so long that the client gives up."""
        switch("latency", seconds=60)
        with pytest.raises(httpx.ReadTimeout):
            erp.request(method, path, json=body, timeout=0.1)

    def test_throttle(self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object) -> None:
        """The answer is 429, without Retry-After unless asked for."""
        switch("throttle", times=1)
        switch("throttle", retry_after_seconds=7)
        switch("throttle", times=1)
        without = erp.request(method, path, json=body)
        assert (without.status_code, "retry-after" in without.headers) == (429, False)
        assert erp.request(method, path, json=body).headers["retry-after"] == "7"

    def test_retry_after_as_date(self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object) -> None:
        """Retry-After can be an HTTP date."""
        switch("error_status", retry_after_seconds=3600, retry_after_as="date")
        until = parsedate_to_datetime(erp.request(method, path, json=body).headers["retry-after"])
        assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)

    @pytest.mark.parametrize("status", [404, 500, 502, 503])
    def test_error_status(
        self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object, status: int
    ) -> None:
        """The answer is any error status."""
        switch("error_status", status=status)
        assert erp.request(method, path, json=body).status_code == status

    def test_redirect(self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object) -> None:
        """The answer leads to a login page."""
        switch("redirect")
        answer = erp.request(method, path, json=body)
        assert (answer.status_code, answer.headers["location"]) == (302, "/login")

    def test_login_page(self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object) -> None:
        """The answer is 200 with an HTML login page."""
        switch("login_page")
        answer = erp.request(method, path, json=body)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "<form>" in answer.text

    def test_drop_before_answer(
        self, served: Served, erp: httpx.Client, switch: Switch, method: str, path: str, body: object
    ) -> None:
        """The connection is closed before a byte of an answer."""
        switch("drop_before_answer", times=1)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            erp.request(method, path, json=body)
        assert erp.get(_LIST).status_code == 200
        assert served.sandbox.counts.answers == {0: 1, 200: 1}

    def test_invalid_token(self, erp: httpx.Client, switch: Switch, method: str, path: str, body: object) -> None:
        """The right key is refused as if it were wrong."""
        switch("invalid_token")
        assert erp.request(method, path, json=body).status_code == 401


def test_truncate(erp: httpx.Client, switch: Switch) -> None:
    """The HTTP answer is complete, the JSON in it is not."""
    switch("truncate")
    answer = erp.get(_LIST)
    assert len(answer.content) > 10_000
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_truncate_after_bytes(erp: httpx.Client, switch: Switch) -> None:
    """The body is cut where one says."""
    whole = erp.get(_LIST).content
    switch("truncate", after_bytes=200_000)
    assert erp.get(_LIST).content == whole[:200_000]


@pytest.mark.parametrize("after_bytes", [0, 50, 200_000])
def test_drop_mid_body(erp: httpx.Client, switch: Switch, after_bytes: int) -> None:
    """The connection is closed in the middle of the body; what came before arrived, and the client notices."""
    switch("drop_mid_body", after_bytes=after_bytes)
    received = b""
    with erp.stream("GET", _LIST) as answer, pytest.raises(httpx.RemoteProtocolError, match="incomplete"):  # noqa: PT012
        for piece in answer.iter_raw():
            received += piece
    assert len(received) == after_bytes


def test_slow_body(erp: httpx.Client, switch: Switch) -> None:
    """The body begins and then stalls."""
    switch("slow_body", seconds=60)
    with erp.stream("GET", _LIST, timeout=0.3) as answer, pytest.raises(httpx.ReadTimeout):
        answer.read()


def test_stale_list(erp: httpx.Client, switch: Switch) -> None:
    """A list after a confirm still shows what was confirmed, for so many requests."""
    erp.get(_LIST)
    erp.post(_CONFIRM, json={"SyncID": [1, 2]})
    switch("stale_list", requests=2)
    assert [len(erp.get(_LIST).json()) for _ in range(3)] == [300, 300, 298]


def test_shuffle(erp: httpx.Client, switch: Switch) -> None:
    """The list shows every record, in no order."""
    switch("shuffle")
    shown = [record["SyncID"] for record in erp.get(_LIST).json()]
    assert shown != sorted(shown)
    assert sorted(shown) == list(range(1, 301))


def test_descending(erp: httpx.Client, switch: Switch) -> None:
    """The list shows the newest record first."""
    switch("descending")
    assert [record["SyncID"] for record in erp.get(_LIST).json()] == list(range(300, 0, -1))


def test_repeat(erp: httpx.Client, switch: Switch) -> None:
    """The list shows every record twice."""
    switch("repeat")
    assert [record["SyncID"] for record in erp.get(_LIST).json()] == [*range(1, 301), *range(1, 301)]


def test_bom(erp: httpx.Client, switch: Switch) -> None:
    """The list begins with a UTF-8 byte order mark."""
    plain = erp.get(_LIST).content
    switch("bom")
    assert erp.get(_LIST).content == b"\xef\xbb\xbf" + plain


def test_not_utf8(erp: httpx.Client, switch: Switch) -> None:
    """The list is JSON in Windows-1252."""
    switch("not_utf8")
    body = erp.get(_LIST).content
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert len(json.loads(body.decode("cp1252"))) == 300


def test_not_an_array(erp: httpx.Client, switch: Switch) -> None:
    """The list is a JSON object."""
    switch("not_an_array")
    assert isinstance(erp.get(_LIST).json(), dict)


def test_pretty_print(erp: httpx.Client, switch: Switch) -> None:
    """The list is the same JSON over many lines."""
    plain = erp.get(_LIST)
    switch("pretty_print")
    pretty = erp.get(_LIST)
    assert pretty.json() == plain.json()
    assert pretty.text.count("\n") > 300


def test_pretty_print_without_utf8(erp: httpx.Client, switch: Switch) -> None:
    """Two faults of the writing act together."""
    switch("pretty_print")
    switch("not_utf8")
    assert len(json.loads(erp.get(_LIST).content.decode("cp1252"))) == 300


def test_module_off(erp: httpx.Client, switch: Switch) -> None:
    """Without the module the lists are empty, however much changed."""
    switch("module_off", times=1)
    assert erp.get(_LIST).json() == []
    assert len(erp.get(_LIST).json()) == 300


def test_read_only_key_by_switch(served: Served, erp: httpx.Client, switch: Switch) -> None:
    """The key lost its write permission."""
    switch("read_only_key")
    assert erp.post(_CONFIRM, json={"SyncID": [1]}).status_code == 403
    assert len(_pending(served)) == 300


@pytest.mark.parametrize("status", [403, 500])
def test_confirm_refused(served: Served, erp: httpx.Client, switch: Switch, status: int) -> None:
    """A confirm is refused entirely."""
    switch("confirm_refused", status=status)
    assert erp.post(_CONFIRM, json={"SyncID": [1, 2]}).status_code == status
    assert len(_pending(served)) == 300


def test_confirm_refused_for_some(served: Served, erp: httpx.Client, switch: Switch) -> None:
    """A confirm is refused because of some notifications; the others are confirmed."""
    switch("confirm_refused", sync_ids=[2])
    assert erp.post(_CONFIRM, json={"SyncID": [1, 2, 3]}).status_code == 403
    assert erp.post(_CONFIRM, json={"SyncID": [4]}).status_code == 200
    assert _pending(served)[:2] == [2, 5]


def test_confirm_ignored(served: Served, erp: httpx.Client, switch: Switch) -> None:
    """A confirm is accepted, and the notifications stay in their list."""
    switch("confirm_ignored")
    assert erp.post(_CONFIRM, json={"SyncID": [1, 2]}).json() == {"confirmed": 0}
    assert len(_pending(served)) == 300


def test_confirm_answer_lost(served: Served, erp: httpx.Client, switch: Switch) -> None:
    """A confirm is carried out, and the connection is closed before its answer."""
    switch("confirm_answer_lost")
    with pytest.raises(httpx.RemoteProtocolError):
        erp.post(_CONFIRM, json={"SyncID": [1, 2]})
    assert len(_pending(served)) == 298
