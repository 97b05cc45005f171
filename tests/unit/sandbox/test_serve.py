"""Serving the sandbox: loopback only, in a loop or a thread, over TLS, until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trustme

from connector.errors import ConfigurationWrong, EnvironmentUnusable
from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.notifications import CienappsSandbox
from connector.sandbox.serve import SandboxOptions, _listening, serving, serving_in_thread

_TOKEN = {"ApiToken": "sandbox-token"}


async def test_in_the_running_loop() -> None:
    """The sandbox is served beside its client in one loop, with the backlog it is told."""
    async with (
        serving(SandboxOptions(backlog=40)) as served,
        httpx.AsyncClient(base_url=served.base_url, headers=_TOKEN, trust_env=False) as erp,
    ):
        assert (await erp.get("/sandbox/stats")).json()["created"] == 40


def test_answers_do_not_wait_for_each_other() -> None:
    """What it accepts sends at once: with Nagle's algorithm every answer on a kept connection takes 40 ms more."""
    with _listening(SandboxOptions()) as listener, socket.create_connection(listener.getsockname()[:2]) as client:
        accepted, _ = listener.accept()
        with accepted:
            assert client.getpeername() == accepted.getsockname()
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_leaves_signals_alone() -> None:
    """Serving in a loop does not take the program's signal handlers."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serving(SandboxOptions()):
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


async def test_stops_in_the_middle_of_an_answer() -> None:
    """Leaving the block does not wait for an answer that is still being given."""
    slow = (Fault(kind=FaultKind.LATENCY, seconds=600),)
    async with httpx.AsyncClient(headers=_TOKEN, trust_env=False, timeout=60) as erp:
        async with serving(SandboxOptions(faults=slow)) as served:
            asked = asyncio.create_task(erp.get(f"{served.base_url}/api/sync/order/list"))
            while not served.sandbox.counts.list_requests:  # noqa: ASYNC110 - the sandbox sets no events for tests
                await asyncio.sleep(0)
        with pytest.raises(httpx.TransportError):
            await asked


async def test_rate() -> None:
    """While it is served, the business goes on."""
    async with serving(SandboxOptions(rate=2000)) as served:
        async with asyncio.timeout(10):
            while len(served.sandbox.truth()) < 100:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "erp.example"])  # noqa: S104 - refused is the point
def test_off_loopback(host: str) -> None:
    """No address but the machine's own is served."""
    with pytest.raises(ConfigurationWrong, match="loopback only"), serving_in_thread(SandboxOptions(host=host)):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3"])
def test_loopback(host: str) -> None:
    """The machine's own addresses are."""
    with serving_in_thread(SandboxOptions(host=host)) as served:
        assert host in served.base_url
        assert httpx.get(f"{served.base_url}/sandbox/stats", trust_env=False).status_code == 200


def test_port_in_use() -> None:
    """A port that is taken is named in the error."""
    with serving_in_thread(SandboxOptions()) as served:
        port = int(served.base_url.rpartition(":")[2])
        with pytest.raises(EnvironmentUnusable, match=str(port)), serving_in_thread(SandboxOptions(port=port)):
            pass


def test_given_sandbox() -> None:
    """A sandbox that is given outlives its serving: the same pending notifications at another port."""
    sandbox = CienappsSandbox()
    sandbox.create(3, "order")
    for _ in range(2):
        with serving_in_thread(SandboxOptions(), sandbox) as served:
            assert len(httpx.get(f"{served.base_url}/api/sync/order/list", headers=_TOKEN, trust_env=False).json()) == 3


def test_tls(tmp_path: Path) -> None:
    """With a certificate it is served as https, dropped connections included."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certfile, keyfile = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.private_key_pem.write_to_path(keyfile)
    for part in certificate.cert_chain_pems:
        part.write_to_path(certfile, append=True)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with (
        serving_in_thread(SandboxOptions(certfile=certfile, keyfile=keyfile, backlog=90)) as served,
        httpx.Client(base_url=served.base_url, headers=_TOKEN, verify=trusted, trust_env=False) as erp,
    ):
        assert served.base_url.startswith("https://")
        assert erp.get("/api/sync/order/list").status_code == 200
        for kind in (FaultKind.DROP_BEFORE_ANSWER, FaultKind.DROP_MID_BODY):
            served.sandbox.faults.replace([Fault(kind=kind)])
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                erp.get("/api/sync/order/list")


def test_half_a_certificate(tmp_path: Path) -> None:
    """A certificate without its key is a configuration error."""
    with pytest.raises(ConfigurationWrong, match="both"), serving_in_thread(SandboxOptions(certfile=tmp_path / "cert")):
        pass


def test_no_certificate(tmp_path: Path) -> None:
    """A certificate that cannot be read is named in the error."""
    options = SandboxOptions(certfile=tmp_path / "cert", keyfile=tmp_path / "key")
    with pytest.raises(EnvironmentUnusable, match="certificate"), serving_in_thread(options):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_forever(number: signal.Signals) -> None:
    """Served for good, it tells its address, answers, and ends with 0 on SIGINT and SIGTERM."""
    program = (
        "from connector.sandbox.serve import SandboxOptions, serve_forever\n"
        "serve_forever(SandboxOptions(rate=50), lambda served: print(served.base_url, flush=True))\n"
    )
    with subprocess.Popen(  # noqa: S603 - this interpreter and the program above
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert httpx.get(f"{address}/sandbox/stats", trust_env=False).status_code == 200
            os.kill(process.pid, number)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
