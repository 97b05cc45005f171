"""Settings into parts: every feed's source, encoder, publisher, journal, observer and loop, read top to bottom.

Must not know when any of them runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from connector.delivery import Delivery
from connector.encoding.codec import encoder_for
from connector.encoding.schemas import FeedSchema, load_schemas
from connector.erp.cienapps import CienappsSource
from connector.erp.http import Site, SiteConnection, Timeouts
from connector.erp.tls import TlsOptions
from connector.errors import ConfigurationWrong
from connector.kafka.connection import KafkaConnection
from connector.kafka.headers import HeaderWriter
from connector.kafka.journal import JournalLimits, KafkaJournal
from connector.kafka.publisher import KafkaPublisher, PublisherLimits
from connector.kafka.topics import TopicPlan, TopicReport
from connector.model import Feed, Point
from connector.ops.metrics import Metrics
from connector.ops.observer import FeedObserver
from connector.pacing import Pace, SystemClock
from connector.parts import Parts
from connector.settings import Settings
from connector.settings.site import Site as SiteSettings

Schemas: TypeAlias = dict[tuple[str, str], FeedSchema]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the sandbox and the tests put in another's place; production leaves all of it alone."""

    reached: Callable[[Feed, Point], None] = lambda _feed, _point: None
    delivery: type[Delivery] = Delivery
    publisher: type[KafkaPublisher] = KafkaPublisher
    check_crcs: bool = True
    pace: dict[str, float] = field(default_factory=dict)
    """Figures of `Pace` to change."""
    mark_seconds: float = 10.0
    believed_message_bytes: int | None = None
    """What to take the topics' max.message.bytes for, whatever they say."""


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """One feed as the settings describe it."""

    feed: Feed
    site: SiteSettings
    schema: FeedSchema


def plan_feeds(settings: Settings) -> list[FeedPlan]:
    """Every feed the settings name, with its schema.

    Raises:
        ConfigurationWrong: a schema is wrong, or a feed has none.
    """
    schemas = load_schemas(settings.schema_dirs)
    plans: list[FeedPlan] = []
    problems: list[str] = []
    for site_name, site in settings.sites.items():
        known = [name for kind, name in schemas if kind == site.kind]
        for name in site.feeds or known:
            if name not in known:
                problems.append(
                    f"sites.{site_name}.feeds: {name} has no schema: put {site.kind}/{name}.avsc into a folder of"
                    f" schema_dirs, or name one of {', '.join(known)}"
                )
                continue
            topics = settings.topic(site_name, name), settings.dead_letter_topic(site_name, name)
            plans.append(
                FeedPlan(Feed(settings.app, site_name, name, site.kind, *topics), site, schemas[site.kind, name])
            )
    if problems:
        raise ConfigurationWrong(problems)
    return plans


def topic_plan(settings: Settings) -> TopicPlan | None:
    """How missing topics are made, None when they must exist."""
    create = settings.kafka.create_topics
    if create is None:
        return None
    return TopicPlan(create.partitions, create.replication_factor, create.min_insync_replicas, create.retention_days)


def kafka_connection(settings: Settings, *, check_crcs: bool = True) -> KafkaConnection:
    """How to reach Kafka."""
    kafka = settings.kafka
    return KafkaConnection(
        bootstrap_servers=kafka.bootstrap_servers,
        client_id=settings.app,
        security_protocol=kafka.security_protocol,
        ca_file=kafka.ca_file,
        sasl_mechanism=kafka.sasl.mechanism if kafka.sasl else None,
        sasl_username=kafka.sasl.username if kafka.sasl else None,
        sasl_password=kafka.sasl.read_password().get_secret_value() if kafka.sasl else None,
        check_crcs=check_crcs,
    )


def secrets_of(settings: Settings) -> list[str]:
    """The texts that no log line may hold."""
    found = [site.read_token().get_secret_value() for site in settings.sites.values()]
    if settings.kafka.sasl:
        found.append(settings.kafka.sasl.read_password().get_secret_value())
    return found


def site_connection(site: SiteSettings) -> SiteConnection:
    """How to reach one ERP; its token is asked for at each request, since its file may change."""
    tls = site.tls
    return SiteConnection(
        base_url=site.base_url,
        token=lambda: site.read_token().get_secret_value(),
        tls=TlsOptions(
            ca_file=_path(tls.ca_file),
            ca_only=tls.ca_only,
            server_name=tls.server_name,
            client_cert_file=_path(tls.client_cert_file),
            client_key_file=_path(tls.client_key_file),
            relax_x509_strict=tls.relax_x509_strict,
            verify=tls.verify,
        ),
        proxy=site.proxy,
        timeouts=Timeouts(read_seconds=site.request_timeout_seconds),
    )


class Composition:
    """The parts of all feeds, sharing what is to be shared: a client and a turn for lists by site.

    Args:
        settings: what the user wants.
        plans: the feeds.
        metrics: makes the observers.
        hooks: what sandbox and tests put in another's place.
    """

    def __init__(self, settings: Settings, plans: list[FeedPlan], metrics: Metrics, hooks: Hooks) -> None:
        self._settings = settings
        self._plans = plans
        self._hooks = hooks
        self._clock = SystemClock()
        self.connection = kafka_connection(settings, check_crcs=hooks.check_crcs)
        self.sites = {name: Site(site_connection(site)) for name, site in settings.sites.items()}
        self._list_turns = {name: asyncio.Semaphore(site.concurrent_lists) for name, site in settings.sites.items()}
        self.observers: dict[Feed, FeedObserver] = {
            plan.feed: metrics.observe_feed(
                plan.feed.site, plan.feed.name, poll_interval_seconds=plan.site.poll_interval_seconds
            )
            for plan in plans
        }
        for name, site in settings.sites.items():
            metrics.tls_endpoint(name, is_verified=site.tls.verify)

    def deliveries(self, topics: TopicReport) -> Iterator[tuple[Feed, Delivery]]:
        """One loop for each feed."""
        for plan in self._plans:
            yield plan.feed, self._delivery(plan, topics)

    def source(self, plan: FeedPlan) -> CienappsSource:
        """The source of one feed."""
        name = plan.feed.site
        return CienappsSource(plan.feed, self.sites[name], self._list_turns[name], self.observers[plan.feed])

    async def close(self) -> None:
        """Close the clients of all sites."""
        for site in self.sites.values():
            await site.close()

    def _delivery(self, plan: FeedPlan, topics: TopicReport) -> Delivery:
        feed, site, clock = plan.feed, plan.site, self._clock
        observer = self.observers[feed]

        def reached(point: Point) -> None:
            observer.beat()
            self._hooks.reached(feed, point)

        kafka = self._settings.kafka
        source = self.source(plan)
        encoder = encoder_for(self._settings.value_encoding, plan.schema, observer)
        limits = PublisherLimits(
            transaction_timeout_seconds=kafka.transaction_timeout_seconds,
            max_message_bytes=self._hooks.believed_message_bytes or topics.largest_message(feed),
            compression=None if kafka.compression == "none" else kafka.compression,
        )
        headers = HeaderWriter(feed, encoder.content_type)
        publisher = self._hooks.publisher(feed, self.connection, headers, limits, observer, clock.now, reached)
        kept = JournalLimits(
            stale_list_seconds=site.stale_list_seconds,
            mark_seconds=self._hooks.mark_seconds,
            accepted_partitions=kafka.accept_partitions,
            stalled_seconds=kafka.transaction_timeout_seconds + 30.0,
        )
        journal = KafkaJournal(feed, self.connection, source.fingerprint, kept, clock.now, clock.monotonic, reached)
        pace = Pace(
            site.poll_interval_seconds,
            **{"idle_session_seconds": site.stale_list_seconds + 30.0, **self._hooks.pace},  # type: ignore[arg-type]
        )
        parts = Parts(source, encoder, publisher, journal, observer)
        return self._hooks.delivery(parts, pace, clock, confirm=site.confirm == "after_ack", reached=reached)


def _path(path: object | None) -> str | None:
    return None if path is None else str(path)
