"""The watermark: committed offsets below which everything is confirmed, and what their metadata says.

Must not know how the offsets are found. The metadata's format is permanent: later releases read it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Remark:
    """What travels with the committed offsets."""

    partitions: int
    """How many partitions the entity topic had."""
    source: str
    """The fingerprint of the ERP."""
    caught_up_at: float | None
    """When the feed was last caught up, wall-clock seconds."""

    def to_metadata(self) -> str:
        """As compact JSON, far below the 4 KB that brokers take."""
        at = None if self.caught_up_at is None else round(self.caught_up_at * 1000)
        fields = {"v": _FORMAT, "partitions": self.partitions, "source": self.source, "caught_up_at": at}
        return json.dumps(fields, separators=(",", ":"))


def from_metadata(metadata: str) -> Remark | None:
    """The remark, None where there is none or where it is not ours: it informs, and nothing depends on it."""
    try:
        fields = json.loads(metadata)
        if fields["v"] != _FORMAT:
            return None
        at = fields["caught_up_at"]
        return Remark(int(fields["partitions"]), str(fields["source"]), None if at is None else at / 1000)
    except (ValueError, KeyError, TypeError):
        return None
