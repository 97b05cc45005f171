"""Java's partition rule, against the vectors of Kafka's own tests."""

import pytest

from connector.kafka.partitioning import partition_of

# org.apache.kafka.common.utils.UtilsTest.testMurmur2 (Apache Kafka 4.x)
JAVA_VECTORS = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "murmur2"), JAVA_VECTORS.items())
@pytest.mark.parametrize("partitions", [1, 3, 6, 12, 50])
def test_the_partition_is_the_one_java_chooses(key: str, murmur2: int, partitions: int) -> None:
    """(murmur2(utf8(key)) & 0x7fffffff) % N."""
    assert partition_of(key, partitions) == (murmur2 & 0x7FFFFFFF) % partitions
