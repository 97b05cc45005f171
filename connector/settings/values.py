"""The kinds of value that settings have, each with the rule it must keep.

Must not know which setting has which kind. No message repeats a value: it may hold a credential.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

_LARGEST_PORT = 65_535


class Group(BaseModel):
    """Settings that stand together; frozen, and nothing else may stand among them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


def named(pattern: str) -> AfterValidator:
    """Text that matches a pattern wholly; the message shows the pattern."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            msg = f"must match {pattern}"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


def _topic(value: str) -> str:
    # Kafka's own rule: org.apache.kafka.common.internals.Topic.
    if value in (".", "..") or not re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", value):
        msg = "must be a topic name: 1 to 249 letters, digits, '.', '_' or '-'"
        raise ValueError(msg)
    return value


def _readable_file(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        msg = f"the file cannot be read: {(error.strerror or type(error).__name__).lower()}"
        raise ValueError(msg) from error
    return path


def _readable_folder(path: Path) -> Path:
    try:
        next(path.iterdir(), None)
    except OSError as error:
        msg = f"the folder cannot be read: {(error.strerror or type(error).__name__).lower()}"
        raise ValueError(msg) from error
    return path


def _secret_file(path: Path) -> Path:
    read_secret(path)
    return path


def _token_file(path: Path) -> Path:
    _token(read_secret(path))
    return path


def _token(value: SecretStr) -> SecretStr:
    text = _password(value).get_secret_value()
    if not (text.isascii() and text.isprintable()):
        msg = "must be one line of printable ASCII: anything else does not fit into an HTTP header"
        raise ValueError(msg)
    return value


def read_secret(path: Path) -> SecretStr:
    """The secret a file holds, without the white space around it.

    Raises:
        ValueError: the file cannot be read, or holds no usable secret; without its content.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig").strip()
    except OSError as error:
        msg = f"the file cannot be read: {(error.strerror or type(error).__name__).lower()}"
        raise ValueError(msg) from error
    except UnicodeDecodeError:
        msg = "the file is not UTF-8 text"
        raise ValueError(msg) from None
    return _password(SecretStr(text))


def _password(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        msg = "is empty"
        raise ValueError(msg)
    return value


def split_http_url(value: str) -> SplitResult:
    """The parts of an http or https URL that has a host and neither credentials nor query.

    Raises:
        ValueError: what is wrong; without the URL, which may hold credentials.
    """
    problem = None
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        msg = "is no URL"
        raise ValueError(msg) from None
    if parts.scheme not in ("http", "https"):
        problem = "must begin with https:// or http://"
    elif "@" in parts.netloc:
        problem = "must not hold credentials: anything that shows the URL would show them"
    elif not parts.hostname or re.search(r"[\s\\]", value):
        problem = "must be a URL with a host, such as https://erp.example:8443"
    elif parts.query or parts.fragment or value.endswith(("?", "#")):
        problem = "must not hold a query or a fragment"
    if problem is not None:
        raise ValueError(problem)
    return parts


def _proxy(value: str) -> str:
    split_http_url(value)
    return value


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine itself, going by its name alone."""
    if host in ("localhost", "ip6-localhost"):
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _servers(value: str) -> str:
    servers = [server.strip() for server in value.split(",")]
    for server in servers:
        host, _, port = server.rpartition(":")
        is_port = port.isdecimal() and 0 < int(port) <= _LARGEST_PORT
        if not host or not is_port or re.search(r"[/@\s]", server):
            msg = "must be host:port, several with commas between: kafka-1:9092,kafka-2:9092"
            raise ValueError(msg)
    return ",".join(servers)


AppName = Annotated[str, named(r"[a-z][a-z0-9-]*")]
SiteName = Annotated[str, named(r"[a-z][a-z0-9]*")]
FeedName = Annotated[str, named(r"[a-z][a-z0-9_]*")]
TopicName = Annotated[str, AfterValidator(_topic)]
ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
ReadableFolder = Annotated[Path, AfterValidator(_readable_folder)]
SecretFile = Annotated[Path, AfterValidator(_secret_file)]
TokenFile = Annotated[Path, AfterValidator(_token_file)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Password = Annotated[SecretStr, AfterValidator(_password)]
ProxyUrl = Annotated[str, AfterValidator(_proxy)]
Servers = Annotated[str, AfterValidator(_servers)]
