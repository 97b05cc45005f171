"""What a record costs stage by stage, in µs of CPU: the connector's own parts, one after another on the same orders.

python -m benchmarks.stages [--records 100000]

The drain costs more than their sum: tasks, locks, timers and the caches that one stage takes from the next.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.encoding import Unobserved, through_fastavro
from benchmarks.erp import FEED, erp
from benchmarks.scene import PARTITIONS, Scene, scene
from connector.encoding.codec import SingleObjectEncoder
from connector.encoding.schemas import load_schemas
from connector.erp.cienapps import CienappsSource
from connector.erp.http import Request, Site, SiteConnection
from connector.erp.splitting import Piece, Splitter
from connector.erp.spool import Spool
from connector.identity import content_hash
from connector.kafka.connection import KafkaConnection
from connector.kafka.headers import HeaderWriter
from connector.kafka.journal import JournalLimits, KafkaJournal
from connector.kafka.partitioning import partition_of
from connector.kafka.publisher import KafkaPublisher, PublisherLimits
from connector.model import Feed, Notification, Record

SLICE_RECORDS = 5000
SLICE_BYTES = 4 * 1024 * 1024
SITE = "stages"
TOPIC = f"{SITE}.{FEED}"
FEED_HERE = Feed("benchmark", SITE, FEED, "cienapps", TOPIC, f"{TOPIC}.dead-letter")
LIST = Request("list", "GET", f"/api/sync/{FEED}/list", 600.0)

T = TypeVar("T")
Slices = list[list[Notification]]


class Unheard:
    """An observer that costs nothing."""

    def requested(self, operation: str, code: str, seconds: float, response_bytes: int) -> None:
        """Not counted here."""

    def beat(self) -> None:
        """Not looked at here."""

    def throttled(self, seconds: float) -> None:
        """Not counted here."""

    def transaction(self, result: str, seconds: float) -> None:
        """Not counted here."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a record was before it was a msgspec struct."""

    sync_id: int
    content_hash: bytes
    business_key: str
    value: bytes


class Stages:
    """Prints what each stage costs.

    Args:
        records: how many go through each.
    """

    def __init__(self, records: int) -> None:
        self._records = records
        self._sum = 0.0

    def timed(self, name: str, work: Callable[[], T], *, less: float = 0.0, counts: bool = True) -> T:
        """Do it, and print its cost without `less` µs that are another stage's."""
        begun = time.process_time()
        result = work()
        self.show(name, time.process_time() - begun, less=less, counts=counts)
        return result

    def show(self, name: str, seconds: float, *, less: float = 0.0, counts: bool = True) -> None:
        """Print a cost and, where it is a stage of ours, add it up."""
        cost = seconds / self._records * 1e6 - less
        if counts:
            self._sum += cost
        print(f"  {name:46}{cost:7.2f} µs", flush=True)

    def cost(self, work: Callable[[], object]) -> float:
        """µs of CPU for one record, printed nowhere."""
        begun = time.process_time()
        work()
        return (time.process_time() - begun) / self._records * 1e6

    def total(self) -> None:
        """Print the sum."""
        print(f"  {'sum of the stages':46}{self._sum:7.2f} µs")


async def read_list(site: Site) -> list[bytes]:
    """The whole list as it arrives."""
    async with site.exchange(LIST, Unheard()) as answer, aclosing(answer.chunks()) as chunks:
        return [chunk async for chunk in chunks]


def cut(chunks: Iterable[bytes]) -> list[Piece]:
    """Its records and their SyncIDs."""
    splitter = Splitter("the list")
    pieces = [piece for chunk in chunks if (piece := splitter.feed(chunk)) is not None]
    return [*pieces, splitter.finish()]


def spooled(pieces: Iterable[Piece]) -> Spool:
    """Its records in the temporary file."""
    spool = Spool("the list")
    for piece in pieces:
        spool.add(piece)
    spool.seal()
    return spool


def note_all(journal: KafkaJournal, slices: Slices, encoded: Sequence[Sequence[Record]]) -> None:
    """What the journal does for a backlog that is new to it."""
    journal.begin_listing()
    for portion, records in zip(slices, encoded, strict=True):
        journal.split(portion)
        journal.acked(records, {(TOPIC, 0): (0, len(records))}, 0.0)
        journal.confirmed([record.sync_id for record in records])
        journal.pending()


def encode_all(encoder: SingleObjectEncoder, slices: Slices) -> list[list[Record]]:
    """Every slice's records."""
    encode = encoder.encode
    return [[encode(notification) for notification in portion] for portion in slices]


def headers_of_all(writer: HeaderWriter, encoded: Sequence[Sequence[Record]]) -> None:
    """The headers of every record."""
    for records in encoded:
        writer.begin_slice(0.0)
        for record in records:
            writer.headers(record, b"%d" % record.sync_id)


def partitions_of_all(encoded: Sequence[Sequence[Record]]) -> None:
    """The partition of every record."""
    for records in encoded:
        for record in records:
            partition_of(record.business_key, PARTITIONS)


def parse_stages(stages: Stages, chunks: list[bytes]) -> Slices:
    """From the list's bytes to notifications in order."""
    pieces = stages.timed("cut into records, index their SyncIDs", lambda: cut(chunks))
    spool = stages.timed("write the spool", lambda: spooled(pieces))
    pieces.clear()
    slices = stages.timed("slices: read back, hash", lambda: list(spool.slices(SLICE_RECORDS, SLICE_BYTES)))
    spool.close()
    given = [notification for portion in slices for notification in portion]
    stages.timed("  of which blake2b", lambda: [content_hash(one.raw) for one in given], counts=False)
    return slices


def encode_stages(stages: Stages, slices: Slices) -> list[list[Record]]:
    """From notifications to records, and what others would take for it."""
    schema = load_schemas()["cienapps", FEED]
    encoded = stages.timed(
        "decode JSON, encode Avro", lambda: encode_all(SingleObjectEncoder(schema, Unobserved()), slices)
    )
    given = [notification for portion in slices for notification in portion]
    with_json = through_fastavro(schema, json.loads)
    stages.timed("  beside: json + fastavro", lambda: [with_json(one) for one in given] and None, counts=False)
    one = encoded[0][0]
    fields = one.sync_id, one.content_hash, one.business_key, one.value
    stages.timed("  making a Record, a msgspec struct", lambda: [Record(*fields) for _ in given] and None, counts=False)
    stages.timed("  beside: a frozen dataclass", lambda: [Frozen(*fields) for _ in given] and None, counts=False)
    journal = KafkaJournal(FEED_HERE, KafkaConnection(""), "", JournalLimits(), time.time, time.monotonic)
    stages.timed("journal: split, acked, confirmed", lambda: note_all(journal, slices, encoded))
    return encoded


async def kafka_stages(stages: Stages, made: Scene, encoded: list[list[Record]]) -> None:
    """From records to acks."""
    writer = HeaderWriter(FEED_HERE, SingleObjectEncoder.content_type)
    publisher = KafkaPublisher(
        FEED_HERE, KafkaConnection(made.bootstrap_servers), writer, PublisherLimits(), Unheard(), time.time
    )
    await made.make_topic(SITE)
    await publisher.fence()
    try:
        batching = stages.cost(lambda: [list(publisher._batches(publisher._fenced(), part)) for part in encoded])  # noqa: SLF001  a stage of its own
        headers = stages.cost(lambda: headers_of_all(writer, encoded))
        partitions = stages.cost(lambda: partitions_of_all(encoded))
        records = sum(map(len, encoded))
        stages.show("headers", headers * records / 1e6)
        stages.show("partition by murmur2", partitions * records / 1e6)
        stages.show("append to batches", (batching - headers - partitions) * records / 1e6)
        begun = time.process_time()
        for part in encoded:
            await publisher.publish(part)
        stages.show("transaction and acks, zstd", time.process_time() - begun, less=batching)
    finally:
        await publisher.discard()


async def measure(made: Scene, base_url: str, records: int) -> None:
    """All stages."""
    stages = Stages(records)
    site = Site(SiteConnection(base_url, lambda: "sandbox-token"))
    source = CienappsSource(FEED_HERE, site, asyncio.Semaphore(1), Unheard())
    await source.offers()  # the client and its certificates are loaded once, and not for these records
    begun = time.process_time()
    chunks = await read_list(site)
    print(f"{records} orders of {sum(map(len, chunks)) // records} bytes of JSON")
    stages.show("read HTTP", time.process_time() - begun)
    slices = parse_stages(stages, chunks)
    chunks.clear()
    encoded = encode_stages(stages, slices)
    await kafka_stages(stages, made, encoded)
    begun = time.process_time()
    for part in encoded:
        await source.confirm([record.sync_id for record in part])
    stages.show("confirm", time.process_time() - begun)
    await site.close()
    stages.total()


def main() -> None:
    """Run it as asked."""
    parser = argparse.ArgumentParser(description="µs of CPU per record, stage by stage.")
    parser.add_argument("--records", type=int, default=100_000)
    records: int = parser.parse_args().records
    with scene() as made, erp(records) as served:
        asyncio.run(measure(made, served.base_url, records))


if __name__ == "__main__":
    main()
