"""The operators' endpoint, over real HTTP."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from connector.errors import EnvironmentUnusable
from connector.ops.metrics import Metrics
from connector.ops.observer import FeedObserver
from connector.ops.server import OpsServer, Probes
from connector.ops.status import Program, status_document
from tests.fakes.hand_clock import HandClock


class Readiness:
    def __init__(self) -> None:
        self.is_ready = True


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def probes(metrics: Metrics, readiness: Readiness, clock: HandClock) -> Probes:
    program = Program("plant1", "0.1.0", clock.now)
    status: Callable[[], dict[str, object]] = lambda: status_document(  # noqa: E731  a callable value is the seam
        program, [observer.numbers for observer in metrics.observers], clock.now
    )
    return Probes(is_ready=lambda: readiness.is_ready, status=status, beat_limit_seconds=60.0)


@pytest.fixture
async def server(metrics: Metrics, probes: Probes) -> AsyncIterator[OpsServer]:
    server = OpsServer(metrics, probes, host="127.0.0.1", port=0)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: OpsServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        yield client


async def test_port_zero_becomes_a_real_one(server: OpsServer) -> None:
    """With port 0 the system chooses, and the choice is known once started."""
    assert server.port > 0


async def test_metrics_in_the_format_asked_for(client: httpx.AsyncClient, observer: FeedObserver) -> None:
    """Prometheus gets OpenMetrics when it accepts it, and text otherwise."""
    observer.pulled(1, 0.1)
    text = await client.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "cien_connector_records_pulled_total" in text.text
    strict = await client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert strict.headers["content-type"].startswith("application/openmetrics-text")
    assert strict.text.endswith("# EOF\n")


async def test_alive_while_feeds_beat(client: httpx.AsyncClient, observer: FeedObserver, clock: HandClock) -> None:
    """A feed that backs off beats, so the process is alive; one that hangs is named."""
    observer.beat()
    clock.move(59)
    assert (await client.get("/livez")).status_code == 200
    clock.move(2)
    answer = await client.get("/livez")
    assert (answer.status_code, answer.text) == (503, "no sign of life for over 60 s: montreal.order\n")
    observer.beat()
    assert (await client.get("/livez")).status_code == 200


async def test_disabled_feed_need_not_beat(client: httpx.AsyncClient, metrics: Metrics, clock: HandClock) -> None:
    """A feed that is switched off has no task that could beat."""
    metrics.observe_feed("montreal", "quotation", poll_interval_seconds=5.0, is_enabled=False)
    clock.move(1_000)
    assert (await client.get("/livez")).status_code == 200


async def test_ready_until_shutting_down(client: httpx.AsyncClient, readiness: Readiness) -> None:
    """A process that is leaving says so while it still answers."""
    assert (await client.get("/readyz")).status_code == 200
    readiness.is_ready = False
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/livez")).status_code == 200


async def test_status_is_json(client: httpx.AsyncClient, observer: FeedObserver) -> None:
    """Every feed is in the document."""
    observer.pulled(0, 0.1)
    document = (await client.get("/status")).json()
    assert [(feed["site"], feed["feed"]) for feed in document["feeds"]] == [("montreal", "order")]


async def test_other_paths_and_methods_are_refused(client: httpx.AsyncClient) -> None:
    """There is nothing else to find, and nothing to change."""
    assert (await client.get("/")).status_code == 404
    assert (await client.post("/status")).status_code == 405
    assert "server" not in (await client.get("/livez")).headers


async def test_signals_stay_the_applications(metrics: Metrics, probes: Probes) -> None:
    """Neither starting nor stopping touches a signal handler."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    server = OpsServer(metrics, probes, host="127.0.0.1", port=0)
    await server.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"http://127.0.0.1:{server.port}/livez")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    await server.stop()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_stop_closes_the_port(metrics: Metrics, probes: Probes) -> None:
    """After stop nobody listens, also when a client kept its connection; stopping twice is allowed."""
    server = OpsServer(metrics, probes, host="127.0.0.1", port=0)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        await client.get("/livez")
        async with asyncio.timeout(5):
            await server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.get("/livez")
    await server.stop()


async def test_address_in_use_is_an_unusable_environment(metrics: Metrics, probes: Probes) -> None:
    """A port that is taken is said with the setting that would mend it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = OpsServer(metrics, probes, host="127.0.0.1", port=port)
        with pytest.raises(EnvironmentUnusable, match=f"server.port {port}: cannot listen there") as caught:
            await server.start()
    assert caught.value.exit_code == 3
