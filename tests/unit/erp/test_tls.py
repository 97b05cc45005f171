"""TLS as installations have it, over real handshakes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.erp.http import Request, Site, SiteConnection
from connector.erp.tls import TlsOptions, explain, tls_context
from connector.errors import Blocked, Retriable
from tests.fakes.raw_http import answer, raw_server


class Ignoring:
    def __init__(self) -> None:
        self.codes: list[str] = []

    def requested(self, operation: str, code: str, seconds: float, response_bytes: int) -> None:  # noqa: ARG002  see RequestObserver
        self.codes.append(code)

    def throttled(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def beat(self) -> None:
        pass


class Made:
    """A certificate made by hand, and its key.

    Args:
        folder: where its file is written.
        name: whom it names.
        extensions: what it holds, critical or not.
        issuer: who signs it; itself when None.
    """

    def __init__(
        self, folder: Path, name: str, extensions: list[tuple[x509.ExtensionType, bool]], issuer: Made | None = None
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(signer.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension, is_critical in extensions:
            builder = builder.add_extension(extension, critical=is_critical)
        certificate = builder.sign(signer.key, hashes.SHA256())
        self.pem = folder / f"{name}.pem"
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def shown(self) -> ssl.SSLContext:
        key_file = self.pem.with_suffix(".key")
        plain = serialization.NoEncryption()
        key_file.write_bytes(
            self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, key_file)
        return context


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), True)
LOOPBACK = (x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def showing(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def ask(port: int, tls: TlsOptions, *, host: str = "127.0.0.1", proxy: str | None = None) -> int:
    site = Site(SiteConnection(f"https://{host}:{port}", lambda: "token", tls, proxy))
    try:
        async with site.exchange(Request("list", "GET", "/x", 20), Ignoring()) as answered:
            return answered.status
    finally:
        await site.close()


async def refused(server: ssl.SSLContext, tls: TlsOptions) -> str:
    observer = Ignoring()
    async with raw_server(answer(), server) as raw:
        site = Site(SiteConnection(f"https://127.0.0.1:{raw.port}", lambda: "token", tls))
        with pytest.raises(Blocked) as raised:
            async with site.exchange(Request("list", "GET", "/x", 20), observer):
                pass
        await site.close()
    assert raised.value.reason == "tls"
    assert observer.codes == ["tls"]
    assert raw.asked == []
    return raised.value.message


async def test_a_private_authority_is_trusted_by_its_file(ca: trustme.CA, ca_file: str) -> None:
    """Beside the system's, or alone."""
    async with raw_server(answer(), showing(ca.issue_cert("127.0.0.1"))) as raw:
        assert await ask(raw.port, TlsOptions(ca_file=ca_file)) == 200
        assert await ask(raw.port, TlsOptions(ca_file=ca_file, ca_only=True)) == 200


def test_ca_only_leaves_the_systems_authorities_out(ca_file: str) -> None:
    """One authority is trusted, then."""
    assert len(tls_context(TlsOptions(ca_file=ca_file, ca_only=True)).get_ca_certs()) == 1


async def test_an_unknown_authority_asks_for_ca_file(ca: trustme.CA) -> None:
    """The commonest case: the customer's own server."""
    assert "ca_file" in await refused(showing(ca.issue_cert("127.0.0.1")), TlsOptions())


async def test_a_self_signed_certificate_is_trusted_by_its_own_file(tmp_path: Path) -> None:
    """Refused with the name of the setting, accepted once it is set; `openssl req -x509` makes such ones."""
    own = Made(tmp_path, "erp", [AUTHORITY, LOOPBACK])
    assert "ca_file" in await refused(own.shown(), TlsOptions())
    async with raw_server(answer(), own.shown()) as raw:
        assert await ask(raw.port, TlsOptions(ca_file=str(own.pem))) == 200


async def test_an_old_authority_asks_for_the_strict_switch(tmp_path: Path) -> None:
    """Without key usage and key identifiers, on every version of Python: only newer ones are strict by themselves."""
    old = Made(tmp_path, "old-authority", [AUTHORITY])
    leaf = Made(tmp_path, "leaf", [LOOPBACK], old)
    assert "relax_x509_strict" in await refused(leaf.shown(), TlsOptions(ca_file=str(old.pem)))
    async with raw_server(answer(), leaf.shown()) as raw:
        assert await ask(raw.port, TlsOptions(ca_file=str(old.pem), relax_x509_strict=True)) == 200


async def test_a_certificate_of_another_name_asks_for_server_name(ca: trustme.CA, ca_file: str) -> None:
    """And server_name is what is asked for and checked."""
    context = showing(ca.issue_cert("erp.plant.example"))
    asked_for: list[str | None] = []
    context.sni_callback = lambda _object, name, _context: asked_for.append(name)
    assert "server_name" in await refused(context, TlsOptions(ca_file=ca_file))
    assert "server_name" in await refused(context, TlsOptions(ca_file=ca_file, server_name="other.example"))
    async with raw_server(answer(), context) as raw:
        assert await ask(raw.port, TlsOptions(ca_file=ca_file, server_name="erp.plant.example")) == 200
    assert asked_for[-2:] == ["other.example", "erp.plant.example"]


async def test_server_name_holds_through_a_proxy(ca: trustme.CA, ca_file: str) -> None:
    """The tunnel's TLS is checked against it, too."""
    done = asyncio.Event()
    async with raw_server(answer(), showing(ca.issue_cert("erp.plant.example"))) as raw:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", raw.port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pipe(reader, there_writer), _pipe(there_reader, writer))
            done.set()

        proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        options = TlsOptions(ca_file=ca_file, server_name="erp.plant.example")
        assert await ask(raw.port, options, host="127.0.0.2", proxy=address) == 200
        await done.wait()
        proxy.close()
        await proxy.wait_closed()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_an_expired_certificate_must_be_renewed(ca: trustme.CA, ca_file: str) -> None:
    """No setting mends it."""
    expired = ca.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    assert "renewed" in await refused(showing(expired), TlsOptions(ca_file=ca_file))


async def test_without_verification_anything_is_accepted(ca: trustme.CA) -> None:
    """As asked for."""
    async with raw_server(answer(), showing(ca.issue_cert("elsewhere.example"))) as raw:
        assert await ask(raw.port, TlsOptions(verify=False)) == 200


async def test_a_missing_client_certificate_is_named(ca: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    """The server tells; with one it answers."""
    context = showing(ca.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        telling = asyncio.create_task(asyncio.to_thread(_refuse_and_tell, listener, context))
        with pytest.raises(Blocked, match="client_cert_file"):
            await ask(listener.getsockname()[1], TlsOptions(ca_file=ca_file))
        await telling
    own = ca.issue_cert("connector.example")
    pem = tmp_path / "key-and-certificate.pem"
    own.private_key_and_cert_chain_pem.write_to_path(str(pem))
    async with raw_server(answer(), context) as raw:
        assert await ask(raw.port, TlsOptions(ca_file=ca_file, client_cert_file=str(pem))) == 200


def _refuse_and_tell(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Asyncio's server hangs up without an alert, so this is one of another kind."""
    connection, _ = listener.accept()
    with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls:
        with pytest.raises(ssl.SSLError):
            tls.do_handshake()
        tls.shutdown(socket.SHUT_WR)
        with socket.socket(fileno=tls.detach()) as raw:
            while raw.recv(65536):
                pass


async def test_a_server_that_hangs_up_during_the_handshake_is_retried(ca: trustme.CA, ca_file: str) -> None:
    """It may be restarting."""
    context = showing(ca.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with raw_server(answer(), context) as raw:
        with pytest.raises(Retriable, match="hung up") as raised:
            await ask(raw.port, TlsOptions(ca_file=ca_file))
    assert raised.value.reason == "connect"


async def test_a_port_without_tls_is_named() -> None:
    """The scheme or the port is wrong."""
    server = await asyncio.start_server(_plain, "127.0.0.1", 0)
    with pytest.raises(Blocked, match="http or https") as raised:
        await ask(server.sockets[0].getsockname()[1], TlsOptions())
    server.close()
    await server.wait_closed()
    assert raised.value.reason == "tls"


async def _plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        (lambda folder: TlsOptions(ca_file=str(folder / "missing.pem")), "ca_file"),
        (lambda folder: TlsOptions(ca_file=str(folder / "empty.pem")), "ca_file"),
        (lambda folder: TlsOptions(client_cert_file=str(folder / "missing.pem")), "client_cert_file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    options: Callable[[Path], TlsOptions], setting: str, tmp_path: Path
) -> None:
    """By the setting it stands in."""
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(Blocked, match=setting) as raised:
        tls_context(options(tmp_path))
    assert raised.value.reason == "tls"


def test_equal_options_share_a_context(ca_file: str) -> None:
    """Loading the system's authorities takes tens of milliseconds."""
    assert tls_context(TlsOptions(ca_file=ca_file)) is tls_context(TlsOptions(ca_file=ca_file))


def test_a_failure_without_a_known_reason_is_explained_all_the_same() -> None:
    """Something to look at is always named."""
    assert "port" in explain(ssl.SSLError(1, "odd"))
