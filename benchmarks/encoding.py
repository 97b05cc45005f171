"""What a record costs to decode and encode, in µs of CPU: ours beside json or msgspec with fastavro, in one run.

python -m benchmarks.encoding [RECORDS]
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import msgspec

from connector.encoding.codec import SingleObjectEncoder
from connector.encoding.plain import PlainEncoder
from connector.encoding.schemas import FeedSchema, load_schemas
from connector.identity import content_hash
from connector.model import Notification

EXAMPLES = Path(__file__).parents[1] / "tests/fakes/fixtures/cienapps"
ROUNDS = 7
DAYS = ("Order_DateCreate", "Order_DateDue")


class Unobserved:
    """Drift costs its observer, not the encoder."""

    def unknown_field(self, name: str) -> None:
        """Not counted here."""

    def unparseable_value(self, field: str) -> None:
        """Not counted here."""


def notifications(feed: str, count: int) -> list[Notification]:
    """The committed example with changing numbers, days and titles."""
    (example,) = json.loads((EXAMPLES / f"{feed}.json").read_text())
    chance = random.Random(1)  # noqa: S311  a benchmark needs the same numbers each time
    made = []
    for number in range(count):
        changed = example | {"SyncID": 100_000 + number}
        for name, value in example.items():
            if name.endswith("_Number") and isinstance(value, int):
                changed[name] = value + number
            elif "_Date" in name and isinstance(value, str) and len(value) == len("YYYYMMDD"):
                changed[name] = f"{date(2020, 1, 1) + timedelta(chance.randrange(2000)):%Y%m%d}"
            elif name == "Customer_DateCreate":
                created = datetime(2005, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(10_000_000))
                changed[name] = f"{created:%Y-%m-%d %H:%M:%S}.000"
            elif name.endswith("_Title"):
                changed[name] = f"{value} {number}"
        raw = json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()
        made.append(Notification(changed["SyncID"], raw, content_hash(raw)))
    return made


def through_fastavro(schema: FeedSchema, parse: Callable[[bytes], Any]) -> Callable[[Notification], bytes]:
    """What a user would write for orders, typed dates and times included."""

    def encode(notification: Notification) -> bytes:
        record = parse(notification.raw)
        for name in DAYS:
            record[name] = date.fromisoformat(record[name])
        record["Customer_DateCreate"] = datetime.fromisoformat(record["Customer_DateCreate"] + "+00:00")
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema.parsed, record)
        return body.getvalue()

    return encode


def microseconds(work: Callable[[Notification], object], given: Sequence[Notification]) -> float:
    """CPU time for one, in the best of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for notification in given:
            work(notification)
        rounds.append(time.process_time() - begun)
    return min(rounds) / len(given) * 1e6


def main(count: int) -> None:
    """Measure every feed, and the ways a user would take for orders."""
    for (_, feed), schema in load_schemas().items():
        given = notifications(feed, count)
        size = sum(len(notification.raw) for notification in given) // count
        print(f"{feed}: {size} bytes of JSON, {len(schema.fields)} fields")
        ways: dict[str, Callable[[Notification], object]] = {
            "ours": SingleObjectEncoder(schema, Unobserved()).encode,
            "ours, the plain way": PlainEncoder(schema, Unobserved()).encode,
        }
        if feed == "order":
            ways["json + fastavro"] = through_fastavro(schema, json.loads)
            ways["msgspec + fastavro"] = through_fastavro(schema, msgspec.json.decode)
        for name, work in ways.items():
            print(f"  {name:24}{microseconds(work, given):6.1f} µs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 2000)
