"""Looks without taking: pulls each feed once, encodes it, and tells what would be published.

Must not know Kafka, and never confirms: the first step with an ERP nobody has tried yet.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from connector.composition import FeedPlan, site_connection
from connector.encoding.codec import SingleObjectEncoder, encoder_for
from connector.encoding.reading import decode
from connector.erp.cienapps import CienappsSource
from connector.erp.http import Site
from connector.errors import BadNotification, Blocked, Retriable
from connector.model import Notification
from connector.parts import Listing
from connector.settings import Settings

_PORTION_RECORDS = 1000
_PORTION_BYTES = 4 * 1024 * 1024


@dataclass
class Seen:
    """What one feed offers."""

    site: str
    feed: str
    topic: str
    pending: int = 0
    would_publish: int = 0
    lowest_sync_id: int | None = None
    highest_sync_id: int | None = None
    value_bytes: int = 0
    seconds: float = 0.0
    unknown_fields: Counter[str] = field(default_factory=Counter)
    values_that_did_not_fit: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    problem: str | None = None
    records: list[dict[str, Any]] = field(default_factory=list)

    def unknown_field(self, name: str) -> None:
        """A field that the schema does not know; its value is kept."""
        self.unknown_fields[name] += 1

    def unparseable_value(self, field: str) -> None:
        """A value that does not fit its field; it is kept as text."""
        self.values_that_did_not_fit[field] += 1


class _Unobserved:
    """Peek's requests are nobody's statistics."""

    def requested(self, operation: str, code: str, seconds: float, response_bytes: int) -> None:
        del operation, code, seconds, response_bytes

    def throttled(self, seconds: float) -> None:
        del seconds

    def beat(self) -> None:
        pass


async def peek(settings: Settings, plans: list[FeedPlan], records: int) -> list[Seen]:
    """One look at every feed, one after the other.

    Args:
        settings: for the encoding.
        plans: the feeds.
        records: how many decoded records to keep of each.
    """
    sites = {plan.feed.site: Site(site_connection(plan.site)) for plan in plans}
    try:
        return [await _look(settings, plan, sites[plan.feed.site], records) for plan in plans]
    finally:
        for site in sites.values():
            await site.close()


async def _look(settings: Settings, plan: FeedPlan, site: Site, records: int) -> Seen:
    seen = Seen(plan.feed.site, plan.feed.name, plan.feed.topic)
    source = CienappsSource(plan.feed, site, asyncio.Semaphore(1), _Unobserved())
    encoder = encoder_for(settings.value_encoding, plan.schema, seen)
    begun = time.monotonic()
    try:
        with closing(await source.pull()) as listing:
            seen.seconds = time.monotonic() - begun
            seen.pending = listing.count
            _encode_all(listing, encoder, plan, seen, records)
    except (Retriable, Blocked) as error:
        seen.problem = error.message
    return seen


def _encode_all(listing: Listing, encoder: SingleObjectEncoder, plan: FeedPlan, seen: Seen, records: int) -> None:
    for portion in listing.slices(_PORTION_RECORDS, _PORTION_BYTES):
        for notification in portion:
            _encode_one(notification, encoder, plan, seen, records)


def _encode_one(
    notification: Notification, encoder: SingleObjectEncoder, plan: FeedPlan, seen: Seen, records: int
) -> None:
    try:
        record = encoder.encode(notification)
    except BadNotification as bad:
        seen.bad.append(bad.message)
        return
    seen.would_publish += 1
    seen.value_bytes += len(record.value)
    if seen.lowest_sync_id is None:
        seen.lowest_sync_id = record.sync_id
    seen.highest_sync_id = record.sync_id
    if len(seen.records) < records:
        seen.records.append(decode(record.value, {("", ""): plan.schema}))
