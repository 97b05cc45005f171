"""What a scrape shows."""

from __future__ import annotations

import re

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from connector.model import State
from connector.ops.catalog import FEED_FAMILIES, PREFIX, PROCESS_FAMILIES
from connector.ops.metrics import Metrics
from connector.ops.observer import FeedObserver
from connector.ops.reference import main as reference_main
from connector.ops.reference import page as reference_page
from tests.fakes.hand_clock import HandClock

OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def text_of(metrics: Metrics) -> str:
    return metrics.page("text/plain")[0].decode()


def scrape(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """By metric's name without prefix, then by the labels' values without site and feed."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in parse_text(text_of(metrics)):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name not in ("site", "feed")}
            found.setdefault(sample.name.removeprefix(PREFIX), {})[tuple(labels.values())] = sample.value
    return found


def exercise(observer: FeedObserver) -> None:
    """Tell an observer everything once."""
    observer.state(State.DELIVERING)
    observer.session_started()
    observer.scanned(10, 0.2)
    observer.restored(1_600_000_000.0)
    observer.requested("list", "2xx", 0.1, 1000)
    observer.throttled(3.0)
    observer.pulled(10, 0.1)
    observer.published(9, 0.02)
    observer.abandoned("too_large", 1)
    observer.transaction("committed", 0.01)
    observer.confirmed(9)
    observer.pending(1, 1_600_000_000.0)
    observer.watermark_lag(9)
    observer.caught_up()
    observer.session_ended("idle")


def families(metrics: Metrics) -> list[Metric]:
    return list(parse_text(text_of(metrics)))


def test_zero_from_the_start(metrics: Metrics, observer: FeedObserver) -> None:
    """Every counter exists before anything happened, so that its first increase is seen."""
    shown = scrape(metrics)
    for family in FEED_FAMILIES:
        if family.kind == "counter":
            assert set(shown[family.name].values()) == {0.0}, family.name
    assert shown["source_requests_total"]["2xx", "list"] == 0
    assert shown["source_requests_total"]["timeout", "confirm"] == 0
    assert shown["pulls_total"] == {("records",): 0, ("empty",): 0, ("error",): 0}
    assert observer.numbers.state is State.STARTING
    assert shown["feed_state"]["starting",] == 1


def test_unknown_is_absent(metrics: Metrics, observer: FeedObserver) -> None:
    """What nobody knows yet has no series: neither 0 nor 1970."""
    shown = scrape(metrics)
    unknown = [name for name in shown if name.startswith("feed_last_") or name == "feed_lag_seconds"]
    assert unknown == []
    assert "feed_pending_records" not in shown
    observer.pulled(0, 0.1)
    observer.caught_up()
    assert scrape(metrics)["feed_lag_seconds"] == {(): 0.0}


def test_lag_grows_between_scrapes(metrics: Metrics, observer: FeedObserver, clock: HandClock) -> None:
    """A feed whose task is stuck altogether shows a lag that grows."""
    observer.pulled(3, 0.1)
    observer.pending(3, clock.now)
    clock.move(25)
    assert scrape(metrics)["feed_lag_seconds"] == {(): 25.0}
    clock.move(25)
    assert scrape(metrics)["feed_lag_seconds"] == {(): 50.0}


def test_accounting_holds_in_the_scrape(metrics: Metrics, observer: FeedObserver) -> None:
    """The numbers shown prove that every notification pulled is accounted for."""
    exercise(observer)
    shown = scrape(metrics)
    parts = ["records_published_total", "records_deduplicated_total"]
    parts += ["records_abandoned_total"]
    assert sum(shown["records_pulled_total"].values()) == sum(sum(shown[name].values()) for name in parts) == 10


def test_one_state_at_a_time(metrics: Metrics, observer: FeedObserver) -> None:
    """The state is one series per state, and exactly one of them is 1."""
    for state in State:
        observer.state(state, "reason", "message")
        shown = scrape(metrics)["feed_state"]
        assert shown[state.value,] == sum(shown.values()) == 1
        assert len(shown) == len(State)


def test_no_created_series(metrics: Metrics, observer: FeedObserver) -> None:
    """No series tells when another was made, in either format."""
    exercise(observer)
    assert "_created" not in text_of(metrics)
    assert "_created" not in metrics.page(OPENMETRICS)[0].decode()


def test_openmetrics_when_asked_for(metrics: Metrics, observer: FeedObserver) -> None:
    """The strict parser reads what is served to who accepts it."""
    exercise(observer)
    content, content_type = metrics.page(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert len(list(parse_openmetrics(content.decode()))) > len(FEED_FAMILIES)
    assert metrics.page("*/*")[1].startswith("text/plain")


def test_every_metric_of_the_catalog_is_shown(metrics: Metrics, observer: FeedObserver) -> None:
    """The documented list and the scrape are the same list."""
    exercise(observer)
    metrics.tls_endpoint("montreal", is_verified=False)
    shown = {family.name for family in families(metrics)}
    listed = {family.full_name.removesuffix("_total") for family in (*FEED_FAMILIES, *PROCESS_FAMILIES)}
    assert listed == {name for name in shown if name.startswith(PREFIX)}


def test_promtool_finds_nothing_to_complain_of(metrics: Metrics, observer: FeedObserver) -> None:
    """The rules of `promtool check metrics` (prometheus/client_golang, testutil/promlint) hold for every name."""
    exercise(observer)
    not_base = re.compile(r"_(milliseconds|ms|minutes|hours|days|kilobytes|kb|mb|percent)(_|$)")
    in_name = re.compile(r"_(counter|gauge|histogram|summary)(_|$)")
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text_of(metrics), re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text_of(metrics), re.MULTILINE))
    assert set(types) == set(helps)
    for name, kind in types.items():
        assert (kind == "counter") == name.endswith("_total"), name
        assert not not_base.search(name), name
        assert not in_name.search(name), name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert kind == "histogram" or not name.endswith(("_bucket", "_count", "_sum")), name


def test_under_two_thousand_series_at_twenty_feeds(metrics: Metrics) -> None:
    """What one connector costs its Prometheus is bounded."""
    for index in range(20):
        exercise(metrics.observe_feed(f"site{index}", "order", poll_interval_seconds=5.0))
    assert sum(len(family.samples) for family in families(metrics)) < 2_000


def test_verification_switched_off_shows(metrics: Metrics) -> None:
    """An endpoint whose certificate nobody checks is seen in a metric."""
    metrics.tls_endpoint("montreal", is_verified=False)
    metrics.tls_endpoint("kafka", is_verified=True)
    assert scrape(metrics)["tls_verification_disabled"] == {("montreal",): 1.0, ("kafka",): 0.0}


def test_build_is_named(metrics: Metrics) -> None:
    """What runs is told by labels, beside the process's own numbers."""
    [labels] = scrape(metrics)["build_info"]
    assert "0.1.0" in labels
    assert "process_resident_memory_bytes" in scrape(metrics)


def test_feeds_of_two_sites_are_apart(metrics: Metrics) -> None:
    """Two sites with a feed of the same name do not add up."""
    metrics.observe_feed("montreal", "order", poll_interval_seconds=5.0).pulled(3, 0.1)
    metrics.observe_feed("laval", "order", poll_interval_seconds=5.0)
    text = text_of(metrics)
    assert 'records_pulled_total{feed="order",site="montreal"} 3.0' in text
    assert 'records_pulled_total{feed="order",site="laval"} 0.0' in text


def test_reference_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/metrics.md is what the code says."""
    assert reference_main(["--check"]) == 0, capsys.readouterr().err
    assert reference_page().count("\n| `") == len(FEED_FAMILIES) + len(PROCESS_FAMILIES)
