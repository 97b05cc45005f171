"""What the ERP sent is what a consumer reads: documented shapes through the whole program, and two foreign readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.encoding.schemas import load_schemas
from connector.identity import content_hash, from_header
from connector.sandbox.documented import FEEDS, FeedName
from tests.brokers import Broker
from tests.contract.test_schema_contract import READERS, assert_equal_to_what_was_sent
from tests.fakes.listed import FIXTURES, documented_examples
from tests.integration.scene import scene


def made_up_anew() -> dict[str, str]:
    """The committed examples: the shapes of the document's, of people who are nobody."""
    texts = {feed: (FIXTURES / "cienapps" / f"{feed}.json").read_text() for feed in FEEDS}
    return {feed: text.strip().strip("[]").strip() for feed, text in texts.items()}


EXAMPLES = {"made-up-anew": made_up_anew(), "the-documents-own": documented_examples()}


@pytest.mark.real_kafka
@pytest.mark.parametrize("examples", EXAMPLES)
async def test_examples_through_the_whole_program(examples: str, kafka: Broker, tmp_path: Path) -> None:
    """Field by field, by fastavro's plain reader and by Apache Avro's library, over real HTTP and a real Kafka."""
    sent = EXAMPLES[examples]
    if not sent:
        pytest.skip("the ERP's own document is not beside this checkout")
    schemas = load_schemas()
    with scene(kafka, tmp_path, feeds=FEEDS) as here:
        for feed in FEEDS:
            here.erp.add(feed, sent[feed].encode())
        async with here.running():
            await here.delivered(*FEEDS)
        for feed in FEEDS:
            [record] = await here.records(feed, at_least=1)
            assert record.value is not None
            for read in READERS.values():
                assert_equal_to_what_was_sent(
                    schemas["cienapps", feed], sent[feed], read(schemas["cienapps", feed], record.value)
                )
            assert_named_as_promised(here.site, feed, sent[feed], record.key, dict(record.headers))
        await here.is_clean(*FEEDS, notifications=3)


def assert_named_as_promised(
    site: str, feed: FeedName, text: str, key: bytes | None, headers: dict[str, bytes]
) -> None:
    """Key and headers, as docs/design.md has them."""
    fields = json.loads(text)
    business_key = str(fields[load_schemas()["cienapps", feed].business_key])
    digest = content_hash(text.encode())
    assert key == str(fields["SyncID"]).encode()
    assert from_header(headers["content-hash"]) == digest
    assert headers["business-key"].decode() == headers["ce_subject"].decode() == business_key
    assert headers["ce_id"].decode() == f"{fields['SyncID']}-{digest.hex()}"
    assert headers["ce_source"].decode() == f"/cienapps/test-{site}/{site}/{feed}"
    assert headers["ce_type"].decode() == f"cienapps.{feed}.changed"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["content-type"].startswith(b"application/")
