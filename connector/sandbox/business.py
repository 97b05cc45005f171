"""A small cabinet maker's business, seeded: quotations become orders, orders make work orders, each save is a change.

Must not know SyncIDs, lists or HTTP. The same seed and the same calls give the same bytes on every machine: no clock,
no hash order, only `Random.random`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import msgspec

from connector.sandbox import names, paperwork
from connector.sandbox.documented import FEEDS, FeedName
from connector.sandbox.oddities import made_odd
from connector.sandbox.paperwork import Fields, Paper, chance, pick

_OPEN_AT_ONCE = 40  # of each feed: so many papers are on their way through their steps
_CUSTOMERS_AT_MOST = 2000
_NEW_CUSTOMER_SHARE = 0.3
_EDIT_SHARE = 0.25  # saves that leave the step alone
_CHANGES_A_DAY = 2000
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Change:
    """One save. Its record is `head`, the SyncID in decimal, `tail`: the document shows the SyncID among the fields."""

    feed: FeedName
    key: str
    head: bytes
    tail: bytes

    def record(self, sync_id: int) -> bytes:
        """The record's bytes under this SyncID."""
        return b"%b%d%b" % (self.head, sync_id, self.tail)


class Business:
    """What goes on in the company, one save at a time.

    Args:
        seed: the same seed gives the same changes.
    """

    def __init__(self, seed: int = 1) -> None:
        self._rng = Random(seed)  # noqa: S311 - a reproducible story, not a secret
        self._open: dict[FeedName, list[Paper]] = {feed: [] for feed in FEEDS}
        self._customers: list[Fields] = []
        self._next_number = {"order": 4700, "quotation": 6100}
        self._changes = 0

    def change(self, feed: FeedName | None = None, is_odd: Callable[[FeedName], bool] | None = None) -> Change:
        """Save one paper, of this feed or of any, and tell what its record shows from now on.

        Args:
            feed: whose papers to choose from; None: all.
            is_odd: asked with the paper's feed, whether the record is to have odd types.
        """
        self._changes += 1
        paper = self._paper(pick(self._rng, FEEDS) if feed is None else feed)
        self._save(paper)
        fields = made_odd(paper.feed, paper.fields, self._rng) if is_odd and is_odd(paper.feed) else paper.fields
        return _written(paper, fields)

    @property
    def _day(self) -> int:
        return self._changes // _CHANGES_A_DAY

    def _paper(self, feed: FeedName) -> Paper:
        papers = self._open[feed]
        if len(papers) < _OPEN_AT_ONCE and chance(self._rng, 1 - len(papers) / _OPEN_AT_ONCE):
            papers.append(self._new(feed))
            return papers[-1]
        return pick(self._rng, papers)

    def _new(self, feed: FeedName) -> Paper:
        buyer = self._customer()
        if feed == "quotation":
            return paperwork.quotation(self._rng, self._number("quotation"), self._day, buyer)
        if feed == "order":
            earlier_quotations = [6000 - int(self._rng.random() * 900) for _ in range(int(self._rng.random() * 3))]
            return paperwork.order(self._rng, self._number("order"), self._day, buyer, earlier_quotations)
        return paperwork.workorder(self._rng, self._number("order"), 1, self._day, buyer)

    def _customer(self) -> Fields:
        if len(self._customers) < _CUSTOMERS_AT_MOST and (
            not self._customers or chance(self._rng, _NEW_CUSTOMER_SHARE)
        ):
            self._customers.append(paperwork.customer(self._rng))
            return self._customers[-1]
        return pick(self._rng, self._customers)

    def _number(self, feed: str) -> int:
        self._next_number[feed] += 1
        return self._next_number[feed]

    def _save(self, paper: Paper) -> None:
        if paper.step >= 0 and chance(self._rng, _EDIT_SHARE):
            self._edit(paper)
            return
        paper.step += 1
        prefix = {"order": "Order", "quotation": "Quotation", "workorder": "WorkOrder"}[paper.feed]
        paper.fields[f"{prefix}_Step_Desc"] = paper.steps[paper.step]
        if paper.feed == "order" and paper.step == 1:
            self._start_work(paper)
        if paper.step == len(paper.steps) - 1:
            self._open[paper.feed].remove(paper)
            self._finish(paper)

    def _edit(self, paper: Paper) -> None:
        fields = paper.fields
        if paper.feed == "workorder":
            fields["WorkOrder_BackOrder"] = 1 - int(fields["WorkOrder_BackOrder"] == 1)
            fields["WorkOrder_DateDelivery"] = paperwork.day_text(self._day + 20 + int(self._rng.random() * 60))
        elif paper.feed == "order":
            fields["Order_Reference"] = pick(self._rng, names.JOBS)
            fields["Order_DateDue"] = paperwork.day_text(self._day + 3 + int(self._rng.random() * 60))
        else:
            fields["Quotation_Reference"] = pick(self._rng, names.JOBS)
            fields["Quotation_DateValidate"] = paperwork.day_text(self._day + 14)

    def _start_work(self, order: Paper) -> None:
        """An order in production makes up to three work orders, as far as the shop has room for them."""
        room = _OPEN_AT_ONCE - len(self._open["workorder"])
        buyer = {name: value for name, value in order.fields.items() if name.startswith("Customer_")}
        for part in range(1, min(room, 1 + int(self._rng.random() * 3)) + 1):
            self._open["workorder"].append(paperwork.workorder(self._rng, int(order.key), part, self._day, buyer))

    def _finish(self, paper: Paper) -> None:
        if paper.feed == "workorder":
            paper.fields["WorkOrder_Close"] = 1
            paper.fields["WorkOrder_Close_Date"] = paperwork.day_text(self._day)
        elif paper.feed == "quotation":
            paper.fields["Quotation_DateClose"] = paperwork.day_text(self._day)
            if len(self._open["order"]) < _OPEN_AT_ONCE:
                buyer = {name: value for name, value in paper.fields.items() if name.startswith("Customer_")}
                order = paperwork.order(self._rng, self._number("order"), self._day, buyer, [int(paper.key)])
                self._open["order"].append(order)


def _written(paper: Paper, fields: Fields) -> Change:
    """The fields as the ERP lists them: SyncID last, but before an order's quotations (the document's examples)."""
    quotations = fields.get("Order_Quotation_Number") if paper.feed == "order" else None
    if quotations is None:
        return Change(paper.feed, paper.key, _encode(fields)[:-1] + b',"SyncID":', b"}")
    before = {name: value for name, value in fields.items() if name != "Order_Quotation_Number"}
    tail = b',"Order_Quotation_Number":' + _encode(quotations) + b"}"
    return Change(paper.feed, paper.key, _encode(before)[:-1] + b',"SyncID":', tail)
