"""All numbers of the process, and how they are written out for Prometheus.

Must not know what any number means. Our numbers are plain ones that only the event loop's thread changes, read when
scraped: nothing is locked on the way of a record, and no `_created` series arise.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from connector.ops.catalog import (
    BUILD_INFO,
    EVENT_LOOP_LAG,
    FEED_FAMILIES,
    VERIFICATION_DISABLED,
    Family,
    FeedFamily,
    Shown,
)
from connector.ops.feed_log import FeedLog
from connector.ops.numbers import FeedNumbers
from connector.ops.observer import FeedObserver
from connector.ops.series import Histogram, Tally

Prometheus = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_EVENT_LOOP_LAG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The numbers of the process; makes one observer for each feed.

    Args:
        version: the program's version.
        revision: the commit it was built from, "" when unknown.
        wall: wall-clock seconds since the epoch.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        *,
        version: str,
        revision: str = "",
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.event_loop_lag = Histogram(_EVENT_LOOP_LAG_SECONDS)
        self._build = (version, revision, platform.python_version())
        self._wall = wall
        self._monotonic = monotonic
        self._observers: dict[tuple[str, str], FeedObserver] = {}
        self._verification: dict[str, bool] = {}
        # An own registry: importing a library must not add series to ours.
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    @property
    def observers(self) -> Sequence[FeedObserver]:
        """The observers of all feeds, in the order they were made."""
        return list(self._observers.values())

    def observe_feed(
        self, site: str, feed: str, *, poll_interval_seconds: float, is_enabled: bool = True
    ) -> FeedObserver:
        """Make the observer of one feed; its series exist from now on."""
        numbers = FeedNumbers(site, feed, poll_interval_seconds, is_enabled)
        log = FeedLog(site, feed, self._monotonic)
        observer = FeedObserver(numbers, log, wall=self._wall, monotonic=self._monotonic)
        self._observers[site, feed] = observer
        return observer

    def tls_endpoint(self, endpoint: str, *, is_verified: bool) -> None:
        """Tell whether the certificate of an endpoint (a site's name, or "kafka") is verified."""
        self._verification[endpoint] = is_verified

    def page(self, accept: str) -> tuple[bytes, str]:
        """All series as text, in the format an Accept header asks for, and the content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Prometheus]:
        """The series of one scrape, for prometheus_client."""
        yield _written(BUILD_INFO, [(self._build, 1.0)])
        yield _written(EVENT_LOOP_LAG, [((), self.event_loop_lag)])
        endpoints = self._verification.items()
        yield _written(VERIFICATION_DISABLED, [((name,), float(not verified)) for name, verified in endpoints])
        now = self._wall()
        for family in FEED_FAMILIES:
            yield _written(family, self._of_feeds(family, now))

    def describe(self) -> Iterator[Prometheus]:
        """The metrics' names, for prometheus_client."""
        return self.collect()

    def _of_feeds(self, family: FeedFamily, now: float) -> Iterator[tuple[tuple[str, ...], Shown]]:
        for names, observer in self._observers.items():
            yield names, family.read(observer.numbers, now)


def _written(family: Family, samples: Iterable[tuple[tuple[str, ...], Shown]]) -> Prometheus:
    if family.kind == "histogram":
        return _histogram(family, samples)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    written = kind(family.full_name, family.help, labels=family.labels)
    for names, shown in samples:
        if isinstance(shown, Tally):
            for values, count in shown:
                written.add_metric((*names, *values), count)
        elif isinstance(shown, int | float):
            written.add_metric(names, shown)
    return written


def _histogram(family: Family, samples: Iterable[tuple[tuple[str, ...], Shown]]) -> HistogramMetricFamily:
    written = HistogramMetricFamily(family.full_name, family.help, labels=family.labels)
    for names, shown in samples:
        if isinstance(shown, Histogram):
            written.add_metric(names, shown.cumulative(), shown.sum)
    return written
