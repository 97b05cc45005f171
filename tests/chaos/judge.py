"""The truth of the sandbox against what a read_committed consumer sees: lost, doubled, out of order, pending."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from connector.identity import content_hash, from_header
from connector.sandbox.notifications import SandboxNotification


@dataclass(frozen=True)
class Verdict:
    """How many notifications fared how."""

    notifications: int
    lost: int
    doubled: int
    out_of_order: int
    pending: int

    @property
    def is_clean(self) -> bool:
        """Every notification once, in order, and nothing left."""
        return not (self.lost or self.doubled or self.out_of_order or self.pending)


def judge(truth: Iterable[SandboxNotification], records: Sequence[ConsumerRecord[bytes, bytes]]) -> Verdict:
    """Compare; a notification is its SyncID with the content it was created with."""
    created = {(one.sync_id, content_hash(one.raw)): one for one in truth}
    seen = Counter((int(record.key), _hash(record)) for record in records)
    return Verdict(
        notifications=len(created),
        lost=sum(pair not in seen for pair in created),
        doubled=sum(count - 1 for count in seen.values()),
        out_of_order=_out_of_order(records),
        pending=sum(one.confirmed_at is None for one in created.values()),
    )


def _hash(record: ConsumerRecord[bytes, bytes]) -> bytes:
    return from_header(dict(record.headers)["content-hash"])


def _out_of_order(records: Sequence[ConsumerRecord[bytes, bytes]]) -> int:
    """How often a business key's SyncIDs go back within its partition, or it lives in more than one."""
    by_key: dict[bytes, list[ConsumerRecord[bytes, bytes]]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        by_key[dict(record.headers)["business-key"]].append(record)
    wrong = 0
    for of_one in by_key.values():
        first_seen = list(dict.fromkeys(int(record.key) for record in of_one))
        wrong += sum(later < earlier for earlier, later in itertools.pairwise(first_seen))
        wrong += len({record.partition for record in of_one}) - 1
    return wrong
