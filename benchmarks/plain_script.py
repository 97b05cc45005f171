"""What a careful user would write instead of the connector: httpx, fastavro and a transactional aiokafka producer.

python -m benchmarks.plain_script BASE_URL BOOTSTRAP_SERVERS TOPIC

It carries what is pending and leaves. It keeps no journal, so a crash between commit and confirm doubles records; it
takes what the ERP sends for granted; and it holds the whole list in memory.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import fastavro
import httpx
from aiokafka import AIOKafkaProducer

SCHEMA = fastavro.parse_schema(json.loads((Path(__file__).parents[1] / "avro/cienapps/order.avsc").read_text()))
TRANSACTION_RECORDS = 5000
DATES = ("Order_DateCreate", "Order_DateDue")


def encoded(order: dict[str, Any]) -> bytes:
    """One order in Avro, its dates and its time typed."""
    for name in DATES:
        order[name] = date.fromisoformat(order[name]) if order[name] else None
    created = order["Customer_DateCreate"]
    order["Customer_DateCreate"] = datetime.fromisoformat(created).replace(tzinfo=UTC) if created else None
    body = io.BytesIO()
    fastavro.schemaless_writer(body, SCHEMA, order | {"unknown_fields": {}, "unparsed_values": {}})
    return body.getvalue()


async def publish(producer: AIOKafkaProducer, topic: str, orders: list[dict[str, Any]]) -> None:
    """One transaction."""
    async with producer.transaction():
        sent = [await producer.send(topic, encoded(order), key=str(order["SyncID"]).encode()) for order in orders]
        await asyncio.gather(*sent)


async def carry(base_url: str, bootstrap_servers: str, topic: str) -> None:
    """Pull, publish and confirm until nothing is pending."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        transactional_id=f"plain-{topic}",
        max_batch_size=262_144,
        compression_type="zstd",
    )
    await producer.start()
    async with httpx.AsyncClient(base_url=base_url, headers={"ApiToken": "sandbox-token"}, timeout=120) as client:
        while orders := (await client.get("/api/sync/order/list")).raise_for_status().json():
            for start in range(0, len(orders), TRANSACTION_RECORDS):
                portion = orders[start : start + TRANSACTION_RECORDS]
                await publish(producer, topic, portion)
                confirm = {"SyncID": [order["SyncID"] for order in portion]}
                (await client.post("/api/sync/confirm", json=confirm)).raise_for_status()
    await producer.stop()


if __name__ == "__main__":
    asyncio.run(carry(*sys.argv[1:]))
