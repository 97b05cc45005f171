"""TLS as a customer's own server has it, through the whole program: each refusal names the setting that mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connector.model import State
from connector.sandbox.serve import SandboxOptions
from tests.brokers import Broker
from tests.integration.scene import Scene, scene


def self_signed(folder: Path) -> tuple[Path, Path]:
    """What `openssl req -x509` makes: a certificate for 127.0.0.1 that nobody else signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "erp")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = folder / "erp.pem", folder / "erp.key"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, key_file


@contextmanager
def https(kafka: Broker, folder: Path, certificate: tuple[Path, Path], tls: dict[str, Any]) -> Iterator[Scene]:
    """A scene whose ERP speaks TLS and has three orders pending."""
    options = SandboxOptions(certfile=certificate[0], keyfile=certificate[1])
    with scene(kafka, folder, options=options, site={"tls": tls}) as made:
        made.erp.create(3, "order")
        yield made


@pytest.fixture
def other_name(tmp_path: Path) -> tuple[Path, Path]:
    """The certificate and key of an ERP that its certificate calls otherwise; ca.pem is who signed it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    issued = authority.issue_cert("erp.plant.example")
    pem, key_file = tmp_path / "named.pem", tmp_path / "named.key"
    issued.cert_chain_pems[0].write_to_path(str(pem))
    issued.private_key_pem.write_to_path(str(key_file))
    return pem, key_file


async def test_a_self_signed_certificate(kafka: Broker, tmp_path: Path) -> None:
    """Blocked, and the message names `ca_file`; nothing is asked of a server that is not known."""
    with https(kafka, tmp_path, self_signed(tmp_path), {}) as here:
        async with here.running():
            assert "set ca_file" in await here.tells(State.BLOCKED, "tls")
            assert await here.metric("source_requests_total", operation="list", code="tls") != 0
            assert (await here.page("/livez")).status_code == 200
        assert here.erp.counts.list_requests.total() == 0


async def test_a_self_signed_certificate_with_ca_file(kafka: Broker, tmp_path: Path) -> None:
    """With the setting that the message names, it delivers."""
    certificate = self_signed(tmp_path)
    with https(kafka, tmp_path, certificate, {"ca_file": str(certificate[0])}) as here:
        async with here.running():
            await here.delivered()
            assert await here.metric("tls_verification_disabled", None, endpoint=here.site) == 0
        await here.is_clean(notifications=3)


async def test_a_certificate_of_another_name(kafka: Broker, tmp_path: Path, other_name: tuple[Path, Path]) -> None:
    """Blocked, and the message names `server_name`; with it, it delivers."""
    tls = {"ca_file": str(tmp_path / "ca.pem")}
    with https(kafka, tmp_path, other_name, tls) as here:
        async with here.running():
            assert "set server_name" in await here.tells(State.BLOCKED, "tls")
        tls["server_name"] = "erp.plant.example"
        async with here.running():
            await here.delivered()
        await here.is_clean(notifications=3)


async def test_verification_switched_off(
    kafka: Broker, tmp_path: Path, other_name: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """It delivers, warns at the start naming site and setting, and shows in a metric."""
    with https(kafka, tmp_path, other_name, {"verify": False}) as here:
        async with here.running():
            await here.delivered()
            assert await here.metric("tls_verification_disabled", None, endpoint=here.site) == 1
        await here.is_clean(notifications=3)
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        [warning] = [line for line in lines if line["event"].startswith("TLS verification is off")]
        assert warning["level"] == "warning"
        assert warning["setting"] == f"sites.{here.site}.tls.verify"
