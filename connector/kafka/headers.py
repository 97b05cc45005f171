"""The headers of a record: content hash, business key, content type, and CloudEvents in binary mode.

Must not know how records travel. Formats here are permanent: services and the scan read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from connector.errors import Blocked
from connector.identity import from_header, to_header
from connector.model import Feed, Record

CONTENT_HASH = "content-hash"
BUSINESS_KEY = "business-key"

Headers = list[tuple[str, bytes]]


class HeaderWriter:
    """Makes the headers of one feed's records; what does not change from record to record is made once.

    The CloudEvents identity is the pair (SyncID, content hash), so that a consumer may deduplicate on ce_source and
    ce_id alone (CloudEvents 1.0, "id"; Kafka Protocol Binding 1.0, section 3.2).
    """

    def __init__(self, feed: Feed, content_type: str) -> None:
        self._constant: Headers = [
            ("content-type", content_type.encode()),
            ("ce_specversion", b"1.0"),
            ("ce_source", f"/{feed.kind}/{feed.app}/{feed.site}/{feed.name}".encode()),
            ("ce_type", f"{feed.kind}.{feed.name}.changed".encode()),
        ]
        self._slice = self._constant

    def begin_slice(self, at: float) -> None:
        """The records that follow are published at this time (wall-clock seconds)."""
        stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._slice = [*self._constant, ("ce_time", stamp.encode())]

    def headers(self, record: Record, key: bytes) -> Headers:
        """The headers of one record, the content hash first: the scan looks there."""
        digest = record.content_hash
        business_key = record.business_key.encode()
        return [
            (CONTENT_HASH, to_header(digest)),
            (BUSINESS_KEY, business_key),
            ("ce_id", key + b"-" + digest.hex().encode()),
            ("ce_subject", business_key),
            *self._slice,
        ]


def read_content_hash(headers: Sequence[tuple[str, bytes | None]]) -> bytes | None:
    """The content hash among a record's headers, None when the record is not ours.

    Raises:
        Blocked: the hash was written by a release this one does not understand.
    """
    for name, value in headers:
        if name == CONTENT_HASH and value is not None:
            try:
                return from_header(value)
            except ValueError as error:
                message = f"{error}: a newer release wrote to this topic; run that release or a later one"
                raise Blocked("unknown_hash", message) from error
    return None
