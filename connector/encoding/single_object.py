"""Avro's single-object encoding (Avro 1.12 specification, "Single-object encoding").

Must not know the body that follows.
"""

from __future__ import annotations

CONTENT_TYPE = "application/avro; encoding=single_object"
MARKER = b"\xc3\x01"
PREFIX_BYTES = 10


def prefix(fingerprint: bytes) -> bytes:
    """What stands before the body: the marker, then the schema's fingerprint in eight bytes, little endian."""
    return MARKER + fingerprint
