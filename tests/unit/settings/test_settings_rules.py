"""The rule that each setting keeps, and what is said when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.settings import load_settings
from tests.fakes.settings_files import MINIMAL, SECRET, Write, of_kafka, of_site, problems


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (
            f"https://user:{SECRET}@erp.example",
            "must not hold credentials: anything that shows the URL would show them",
        ),
        (f"https://erp.example/?key={SECRET}", "must not hold a query or a fragment"),
        ("ftp://erp.example", "must begin with https:// or http://"),
        ("https://erp.example:port", "is no URL"),
        ("https://", "must be a URL with a host, such as https://erp.example:8443"),
        ("https://erp.example/api/sync", "must end before /api/sync, which is added"),
    ],
)
def test_unusable_base_url_is_refused_without_showing_it(write: Write, url: str, problem: str) -> None:
    """A base URL that cannot be used is said why, and never shown."""
    assert of_site(write, base_url=url) == [f"connector.yaml: sites.montreal.base_url: {problem}"]


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8/"])
def test_plain_http_is_allowed_on_loopback(write: Write, url: str) -> None:
    """A sandbox on this machine needs no TLS."""
    settings = load_settings([write(MINIMAL)], {"CONNECTOR_SITES__MONTREAL__BASE_URL": url})
    assert settings.sites["montreal"].base_url == url.rstrip("/")


def test_plain_http_is_allowed_when_said(write: Write) -> None:
    """The switch opens http:// off loopback."""
    environ = {
        "CONNECTOR_SITES__MONTREAL__BASE_URL": "http://erp.example",
        "CONNECTOR_SITES__MONTREAL__ALLOW_PLAIN_HTTP": "true",
    }
    assert load_settings([write(MINIMAL)], environ).sites["montreal"].allow_plain_http


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "is empty"), (" \n", "is empty"), (f"{SECRET}\nsecond", "must be one line of printable ASCII")],
)
def test_unusable_token_file_is_refused(write: Write, content: str, problem: str) -> None:
    """A token file without a usable token is found at start, and not at the first request."""
    path = write(content, "token")
    [found] = of_site(write, token=None, token_file=str(path))
    assert found.startswith(f"connector.yaml: sites.montreal.token_file: {problem}")


def test_missing_files_are_problems(write: Write, tmp_path: Path) -> None:
    """Every file that a setting names is looked at before anything starts."""
    gone = str(tmp_path / "gone")
    found = of_site(write, token=None, token_file=gone, tls={"ca_file": gone, "client_cert_file": gone})
    names = [line.split(": ")[1] for line in found]
    assert names == [
        "sites.montreal.token_file",
        "sites.montreal.tls.ca_file",
        "sites.montreal.tls.client_cert_file",
    ]
    assert all("the file cannot be read: no such file or directory" in line for line in found)


def test_token_file_is_read_anew(write: Write) -> None:
    """A token that is renewed in its file is found without a restart."""
    path = write("first", "token")
    environ = {"CONNECTOR_SITES__MONTREAL__TOKEN_FILE": str(path)}
    text = MINIMAL.replace(f", token: {SECRET}", "")
    site = load_settings([write(text)], environ).sites["montreal"]
    path.write_text("second\n", encoding="utf-8")
    assert site.read_token().get_secret_value() == "second"


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        ({"feeds": ["order", "order"]}, "feeds: names a feed twice"),
        ({"feeds": ["Order"]}, "feeds: must match [a-z][a-z0-9_]*"),
        ({"feeds": []}, "feeds: must not be empty"),
        ({"feeds": "order"}, "feeds: must be a list: [one, two]"),
        ({"feeds": ["order"], "topics": {"quotation": "q"}}, "topics: names a feed that feeds does not: quotation"),
        ({"topics": {"order": "a b"}}, "topics.order: must be a topic name: 1 to 249 letters, digits, '.', '_' or '-'"),
        ({"proxy": f"http://u:{SECRET}@p"}, "proxy: must not hold credentials: anything that shows the URL would show"),
        ({"tls": {"ca_only": True}}, "tls.ca_only: needs ca_file: nothing would be trusted"),
        ({"tls": 5}, "tls: must be a mapping (`name: value` lines below it)"),
        ({"confirm": "before"}, "confirm: must be 'after_ack' or 'never'"),
        ({"poll_interval_seconds": float("inf")}, "poll_interval_seconds: must be a finite number"),
        ({"kind": "cienerp"}, "kind: must be 'cienapps'"),
        ({"concurrent_lists": 0}, "concurrent_lists: must be greater than or equal to 1"),
        ({"token": ""}, "token: is empty"),
    ],
)
def test_wrong_site_is_refused(write: Write, site: dict[str, object], problem: str) -> None:
    """Each rule of a site says what it wants."""
    [found] = of_site(write, **site)
    assert found.startswith(f"connector.yaml: sites.montreal.{problem}")


@pytest.mark.parametrize(
    ("kafka", "problem"),
    [
        ({"security_protocol": "SASL_SSL", "sasl": {"username": "u"}}, "sasl.password_file: give exactly one of"),
        ({"sasl": {"username": "u", "password": SECRET}}, "sasl: is not used with security_protocol PLAINTEXT"),
        ({"create_topics": {}}, "create_topics.partitions: is missing"),
        (
            {"create_topics": {"partitions": 1, "replication_factor": 1}},
            "create_topics.min_insync_replicas: must not be above replication_factor",
        ),
        (
            {"bootstrap_servers": "k:1", "security_protocol": "SASL_PLAINTEXT", "sasl": None},
            "security_protocol: SASL_PLAINTEXT is for brokers on this machine only",
        ),
        ({"compression": "gzip"}, "compression: must be 'zstd', 'lz4' or 'none'"),
        ({"transaction_timeout_seconds": 5}, "transaction_timeout_seconds: must be greater than or equal to 50"),
    ],
)
def test_wrong_kafka_is_refused(write: Write, kafka: dict[str, object], problem: str) -> None:
    """Each rule of the cluster says what it wants."""
    [found] = of_kafka(write, **kafka)
    assert found.startswith(f"connector.yaml: kafka.{problem}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [("Montreal", "must match [a-z][a-z0-9]*"), ("mont_real", "must match [a-z][a-z0-9]*")],
)
def test_wrong_site_name_is_refused(write: Write, name: str, problem: str) -> None:
    """A site's name is in topic names and variables, so it is lower case and has no separator."""
    assert problems(write(MINIMAL.replace("montreal", name))) == [f"connector.yaml: sites.{name}: {problem}"]


@pytest.mark.parametrize(
    ("topics", "user"),
    [
        ("topics: {order: x, quotation: x}", "sites.montreal.topics.order"),
        ("topics: {order: x}, dead_letter_topics: {order: x}", "sites.montreal.topics.order"),
        ("topics: {order: montreal.quotation}", "montreal.quotation"),
        ("topics: {order: montreal.quotation.dead-letter}", "montreal.quotation"),
        ("topics: {order: plant1.control}", "the control topic"),
    ],
)
def test_topic_used_twice_is_refused(write: Write, topics: str, user: str) -> None:
    """Two feeds never share a topic, and a feed never shares its own with its dead letters."""
    text = MINIMAL.replace(f"token: {SECRET}", f"token: {SECRET}, {topics}")
    [found] = problems(write(text))
    assert f"is the topic of {user}, too" in found


def test_topics_may_be_exchanged(write: Write) -> None:
    """A default name that its feed has given up is free."""
    topics = "topics: {order: montreal.quotation, quotation: montreal.order}"
    text = MINIMAL.replace(f"token: {SECRET}", f"token: {SECRET}, {topics}")
    assert load_settings([write(text)], {}).topic("montreal", "order") == "montreal.quotation"
