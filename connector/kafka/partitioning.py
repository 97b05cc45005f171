"""Which partition a business key belongs to: Java's default rule.

Must not know what is published there.
"""

from __future__ import annotations

from functools import lru_cache

from aiokafka.partitioner import murmur2

_REMEMBERED_KEYS = 16_384


@lru_cache(maxsize=_REMEMBERED_KEYS)
def _positive_hash(business_key: str) -> int:
    return int(murmur2(business_key.encode())) & 0x7FFFFFFF


def partition_of(business_key: str, partitions: int) -> int:
    """The partition that a Java producer keyed by the same text would choose (Kafka, BuiltInPartitioner)."""
    return _positive_hash(business_key) % partitions
