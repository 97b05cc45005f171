"""What the scan takes for one of our records."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from connector.identity import content_hash, to_header
from connector.kafka.scanning import _portion

HASH = ("content-hash", to_header(content_hash(b"x")))


@dataclass
class Found:
    key: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=lambda: [HASH])
    offset: int = 7
    timestamp: int = 1_700_000_000_000


@pytest.mark.parametrize("key", [None, b"", b"x", b"-1", b"1.0", b"9223372036854775808", b"9" * 5000, b"\xd9\xa1"])
def test_a_record_whose_key_is_no_sync_id_is_somebody_elses(key: bytes | None) -> None:
    """It takes its place in the offsets and nothing else, whatever headers it bears."""
    portion = _portion([Found(key)], ("t", 0))
    assert portion.pairs == []
    assert portion.records == 1


@pytest.mark.parametrize("key", [b"0", b"11", b"9223372036854775807"])
def test_a_record_of_ours(key: bytes) -> None:
    """SyncID and hash, and the offset it begins at."""
    portion = _portion([Found(key)], ("t", 3))
    assert [sync_id for sync_id, _ in portion.pairs] == [int(key)]
    assert portion.first_offsets == {("t", 3): 7}
    assert portion.oldest_seconds == 1_700_000_000.0
