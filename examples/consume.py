"""The consumer a service would start from: every committed record once, decoded, one line of JSON each.

Use: python consume.py BOOTSTRAP_SERVERS SCHEMAS_FOLDER TOPIC [TOPIC ...]
"""

import asyncio
import io
import json
import os
import pathlib
import sys
from typing import Any

import fastavro
from aiokafka import AIOKafkaConsumer
from fastavro.schema import fingerprint, load_schema, to_parsing_canonical_form


def by_fingerprint(folder: str) -> dict[bytes, Any]:
    """The schemas of a folder, by the eight bytes that name them in a single-object encoded value."""
    schemas = [load_schema(str(path)) for path in sorted(pathlib.Path(folder).rglob("*.avsc"))]
    return {bytes.fromhex(fingerprint(to_parsing_canonical_form(s), "CRC-64-AVRO")): s for s in schemas}


async def consume(bootstrap_servers: str, folder: str, *topics: str) -> None:
    """Print records for ever. read_committed is what makes exactly once true on the reader's side."""
    schemas = by_fingerprint(folder)
    checks = os.environ.get("CHECK_CRCS") != "no"  # a simulated broker writes none that hold
    options = {"isolation_level": "read_committed", "auto_offset_reset": "earliest", "check_crcs": checks}
    async with AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap_servers, **options) as consumer:
        async for record in consumer:  # value: C3 01, fingerprint, Avro body
            value = fastavro.schemaless_reader(io.BytesIO(record.value[10:]), schemas[record.value[2:10]], None)
            place = {"topic": record.topic, "partition": record.partition, "key": record.key.decode()}
            print(json.dumps(place | {"value": value}, default=str), flush=True)


if __name__ == "__main__":
    asyncio.run(consume(*sys.argv[1:]))
