"""Reads values back, for looking at them.

Must not know how they were written or where they were kept.
"""

from __future__ import annotations

import io
from typing import Any, cast

import fastavro

from connector.encoding.schemas import Schemas
from connector.encoding.single_object import MARKER, PREFIX_BYTES
from connector.errors import Blocked


def decode(value: bytes, schemas: Schemas) -> dict[str, Any]:
    """The fields of a single-object encoded value; its fingerprint says by which schema.

    Raises:
        Blocked: it is no such value, or none of the schemas wrote it.
    """
    if not value.startswith(MARKER) or len(value) < PREFIX_BYTES:
        raise Blocked(
            "not_single_object", "a value does not begin with Avro's C3 01: another program writes this topic"
        )
    fingerprint = value[len(MARKER) : PREFIX_BYTES]
    for schema in schemas.values():
        if schema.fingerprint == fingerprint:
            return _read(value, schema.parsed)
    known = ", ".join(f"{schema.kind}/{schema.feed} {schema.fingerprint.hex()}" for schema in schemas.values())
    message = f"no schema has the fingerprint {fingerprint.hex()} ({known}): use the release that wrote the value"
    raise Blocked("unknown_fingerprint", message)


def _read(value: bytes, parsed: Any) -> dict[str, Any]:
    body = io.BytesIO(value)
    body.seek(PREFIX_BYTES)
    try:
        record = fastavro.schemaless_reader(body, parsed, None)
    except (EOFError, ValueError, IndexError, OverflowError) as error:
        raise Blocked(
            "unreadable_value", f"a value is not what its fingerprint says: {type(error).__name__}"
        ) from error
    return cast("dict[str, Any]", record)
