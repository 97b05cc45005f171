"""Lists that do not come as they should: what operators see, and that nothing is lost or doubled afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.model import State
from connector.sandbox.faults import Fault, FaultKind
from tests.brokers import Broker
from tests.integration.scene import scene

RETRIED = State.BACKING_OFF
HELD = State.BLOCKED


def on_list(kind: FaultKind, **needs: object) -> Fault:
    return Fault.model_validate({"kind": kind, "route": "list", **needs})


FAILURES = {
    "slow": (on_list(FaultKind.LATENCY, seconds=30), RETRIED, "timeout", "no answer in time"),
    "stalls": (on_list(FaultKind.SLOW_BODY, seconds=30), RETRIED, "timeout", "no answer in time"),
    "dropped": (on_list(FaultKind.DROP_BEFORE_ANSWER), RETRIED, "protocol", "hung up"),
    "dropped-in-the-middle": (on_list(FaultKind.DROP_MID_BODY), RETRIED, "truncated", "nothing of it counts"),
    "truncated": (on_list(FaultKind.TRUNCATE), RETRIED, "truncated", "nothing of it counts"),
    "429": (on_list(FaultKind.THROTTLE), RETRIED, "http_429", "429"),
    "500": (on_list(FaultKind.ERROR_STATUS, status=500), RETRIED, "http_5xx", "500"),
    "503": (on_list(FaultKind.ERROR_STATUS), RETRIED, "http_5xx", "503"),
    "400": (on_list(FaultKind.ERROR_STATUS, status=400), HELD, "http_4xx", "base_url"),
    "401": (on_list(FaultKind.INVALID_TOKEN), HELD, "unauthorized", "token_file"),
    "403": (on_list(FaultKind.ERROR_STATUS, status=403), HELD, "forbidden", "token_file"),
    "404": (on_list(FaultKind.ERROR_STATUS, status=404), HELD, "not_found", "base_url"),
    "redirect": (on_list(FaultKind.REDIRECT), HELD, "redirect", "final address"),
    "login-page": (on_list(FaultKind.LOGIN_PAGE), HELD, "login_page", "HTML"),
    "not-an-array": (on_list(FaultKind.NOT_AN_ARRAY), HELD, "not_json_array", "JSON array"),
    "not-utf8": (on_list(FaultKind.NOT_UTF8), HELD, "not_utf8", "UTF-8"),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_list_that_fails(failure: str, kafka: Broker, tmp_path: Path) -> None:
    """Nothing of it is published or confirmed, /status and the gauge say why, and the feed recovers by itself."""
    fault, state, reason, words = FAILURES[failure]
    with scene(kafka, tmp_path, site={"request_timeout_seconds": 0.3}) as here:
        here.erp.create(5, "order")
        here.has(fault)
        async with here.running():
            message = await here.tells(state, reason)
            assert words in message
            assert (await here.page("/livez")).status_code == 200
            assert await here.metric("feed_lag_seconds") != 0
            assert (await here.standing())["counts"]["pulls_failed"] > 0
            assert here.erp.counts.confirm_requests == 0
            assert await here.records() == []
            here.mend()
            await here.delivered()
            found = await here.standing()
            assert (found["reason"], found["lag_seconds"]) == (None, 0)
        await here.is_clean(notifications=5)
