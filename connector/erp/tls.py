"""TLS as the ERP's installation has it: contexts from options, and refused certificates in words.

Must not know HTTP.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connector.errors import Blocked


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How one site's certificate is checked, and what we show of ourselves."""

    ca_file: str | None = None
    """Certificates to trust beside the system's (PEM)."""
    ca_only: bool = False
    """Trust `ca_file` alone."""
    server_name: str | None = None
    """The name to ask for (SNI) and to find in the certificate, where it is not the host of base_url."""
    client_cert_file: str | None = None
    client_key_file: str | None = None
    relax_x509_strict: bool = False
    """Accept certificates that break the letter of RFC 5280, as old private CAs make them; all else is checked."""
    verify: bool = True
    """False checks nothing at all."""


class _NamedContext(ssl.SSLContext):
    """Asks for one name whatever the address: unlike httpx's own extension this works through a proxy, too."""

    server_name: str

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002  the signature of the one it stands for
        server_hostname: str | bytes | None = None,  # noqa: ARG002  the address's
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.server_name, session)


@lru_cache(maxsize=64)
def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """The context for these options, one for all sites that have equal ones; checks are the same on every Python.

    Raises:
        Blocked: tls; a file cannot be read or holds no certificate or key.
    """
    context = _context(options.server_name)
    context.set_alpn_protocols(["http/1.1"])
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what is in ca_file is trusted itself, root or not
    if not options.relax_x509_strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if not (options.ca_only and options.ca_file):
        context.load_default_certs()
    _load_files(context, options)
    return context


def _context(server_name: str | None) -> ssl.SSLContext:
    if not server_name:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = server_name
    return context


def _load_files(context: ssl.SSLContext, options: TlsOptions) -> None:
    setting = "ca_file"
    try:
        if options.ca_file:
            context.load_verify_locations(options.ca_file)
        setting = "client_cert_file"
        if options.client_cert_file:
            context.load_cert_chain(options.client_cert_file, options.client_key_file, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        what = "holds no usable PEM" if isinstance(error, ssl.SSLError) else f"cannot be read ({error.strerror})"
        raise Blocked("tls", f"the file that {setting} names {what}") from error


def _no_password() -> str:
    """Keeps OpenSSL from asking the terminal for an encrypted key's password: an empty one fails."""
    return ""


def tls_error_in(error: BaseException) -> ssl.SSLError | None:
    """The TLS failure behind an error; a connection that merely ended is none."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _ENDS):
            return cause
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def explain(error: ssl.SSLError) -> str:
    """What is wrong, and the setting that would mend it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = _remedy(error.verify_code)
        return f"its certificate is refused ({error.verify_message.rstrip('.')}): {remedy}"
    reason = (getattr(error, "reason", None) or "").lower().replace("_", " ")
    for sign, remedy in _HANDSHAKE_REMEDIES.items():
        if sign in reason:
            return f"the TLS handshake failed ({reason}): {remedy}"
    return f"the TLS handshake failed ({reason or 'no reason given'}): check the port in base_url and the ERP's TLS"


def _remedy(verify_code: int) -> str:
    for codes, remedy in _CERTIFICATE_REMEDIES:
        if verify_code in codes:
            return remedy
    return "the certificate must be replaced in the ERP"


_ENDS: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

# X509_V_ERR_* of OpenSSL's x509_vfy.h
_CERTIFICATE_REMEDIES: Final = (
    ((2, 18, 19, 20, 21), "set ca_file to the ERP's certificate, or to that of the authority that signed it"),
    ((62, 64), "set server_name to a name that the certificate holds, or use that name in base_url"),
    ((10,), "it has expired and must be renewed in the ERP"),
    ((9,), "it is not valid yet: check this machine's clock and the ERP's certificate"),
    ((66, 67, 68), "its key or signature is too weak: it must be replaced in the ERP"),
    ((79,), "ca_file must hold the certificate of an authority, or the ERP's own; for an old one relax_x509_strict"),
    (tuple(range(80, 95)), "set relax_x509_strict: true to accept certificates of an old authority"),
)
_HANDSHAKE_REMEDIES: Final = {
    "wrong version number": "the ERP does not speak TLS on this port: check http or https, and the port, in base_url",
    "certificate required": "the ERP wants a client certificate: set client_cert_file and client_key_file",
    "handshake failure": "the ERP may want a client certificate (client_cert_file) or have no cipher in common",
    "unknown ca": "the ERP does not trust our client certificate: check client_cert_file",
    "bad certificate": "the ERP refuses our client certificate: check client_cert_file",
    "protocol version": "the ERP's TLS is older than 1.2 and must be updated",
    "unsupported protocol": "the ERP's TLS is older than 1.2 and must be updated",
    "unrecognized name": "the ERP does not know the name asked for: set server_name",
}
