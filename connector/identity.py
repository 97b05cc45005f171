"""The content hash: half of a notification's identity, and the one place that knows how it is made.

Must not know what is hashed. The hash travels in a record header whose first byte names the algorithm, so that a
later release can change it and still read what this one wrote.
"""

from __future__ import annotations

from hashlib import blake2b

HASH_BYTES = 16
ALGORITHM = 1  # blake2b, 16 bytes, over the record's bytes as listed
_HEADER_PREFIX = bytes([ALGORITHM])
_READABLE = {ALGORITHM: HASH_BYTES}


def content_hash(raw: bytes) -> bytes:
    """The hash of a record's bytes as listed."""
    return blake2b(raw, digest_size=HASH_BYTES).digest()


def to_header(digest: bytes) -> bytes:
    """The header's value: the algorithm's byte, then the hash."""
    return _HEADER_PREFIX + digest


def from_header(value: bytes) -> bytes:
    """The hash a header carries.

    Raises:
        ValueError: an algorithm this release does not know, or a length that is not the algorithm's.
    """
    if not value or _READABLE.get(value[0]) != len(value) - 1:
        msg = f"content hash header of {len(value)} bytes with algorithm {value[:1].hex() or 'none'} is not readable"
        raise ValueError(msg)
    return value[1:]
