"""Formats that cannot change after the first release: headers, content hash, watermark metadata, names."""

from __future__ import annotations

import pytest

from connector.errors import Blocked
from connector.identity import content_hash, from_header, to_header
from connector.kafka.headers import HeaderWriter, read_content_hash
from connector.kafka.watermark import Remark, from_metadata
from connector.model import Feed, Record

FEED = Feed("plant1", "montreal", "order", "cienapps", "montreal.order", "montreal.order.dead-letter")


def test_the_headers_of_a_record() -> None:
    """Hash first, then business key, CloudEvents in binary mode, content type; every byte as released."""
    writer = HeaderWriter(FEED, "application/avro; encoding=single_object")
    writer.begin_slice(1_700_000_000.25)
    record = Record(11, bytes(range(16)), "4700", b"value")
    assert writer.headers(record, b"11") == [
        ("content-hash", b"\x01" + bytes(range(16))),
        ("business-key", b"4700"),
        ("ce_id", b"11-000102030405060708090a0b0c0d0e0f"),
        ("ce_subject", b"4700"),
        ("content-type", b"application/avro; encoding=single_object"),
        ("ce_specversion", b"1.0"),
        ("ce_source", b"/cienapps/plant1/montreal/order"),
        ("ce_type", b"cienapps.order.changed"),
        ("ce_time", b"2023-11-14T22:13:20.250Z"),
    ]


def test_the_content_hash_of_known_bytes() -> None:
    """blake2b of 16 bytes over the record's bytes, algorithm 1 in the header's first byte."""
    digest = content_hash(b'{"SyncID": 11}')
    assert digest.hex() == "d1c7eaf6b33c099922b317dc5b2f49b4"
    assert from_header(to_header(digest)) == digest


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01" + bytes(15), b"\x02" + bytes(16), bytes(16)])
def test_a_hash_of_an_unknown_release_blocks(value: bytes) -> None:
    """What cannot be understood is not guessed at: the scan stops, and the feed with it."""
    with pytest.raises(Blocked, match="newer release"):
        read_content_hash([("content-hash", value)])


def test_a_record_of_somebody_else_has_no_hash() -> None:
    """Records that others wrote to the topic are no notifications of ours."""
    assert read_content_hash([("other", b"x")]) is None
    assert read_content_hash([("content-hash", None)]) is None


def test_the_watermark_metadata() -> None:
    """Compact JSON with a format number, read back as written."""
    remark = Remark(6, "ab12", 1_700_000_000.125)
    assert remark.to_metadata() == '{"v":1,"partitions":6,"source":"ab12","caught_up_at":1700000000125}'
    assert from_metadata(remark.to_metadata()) == remark
    assert from_metadata(Remark(6, "ab12", None).to_metadata()) == Remark(6, "ab12", None)


@pytest.mark.parametrize("metadata", ["", "x", "{}", '{"v":2}', "[]", "null", '{"v":1,"partitions":"x"}'])
def test_foreign_metadata_is_no_remark(metadata: str) -> None:
    """It informs and nothing depends on it, so what cannot be read is left alone."""
    assert from_metadata(metadata) is None


def test_the_names_in_kafka() -> None:
    """Transactional id and watermark group as released."""
    assert FEED.transactional_id == "plant1.montreal.order"
    assert FEED.watermark_group == "plant1.montreal.order.confirmed"
