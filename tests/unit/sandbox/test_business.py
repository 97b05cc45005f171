"""The sandbox's business: reproducible, in the document's shapes, going through its steps."""

from __future__ import annotations

import re
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.business import Business
from connector.sandbox.documented import FEEDS, KEY_FIELDS, TABLES, FeedName
from connector.sandbox.paperwork import ORDER_STEPS, QUOTATION_STEPS, WORKORDER_STEPS

_STEPS = {"order": ORDER_STEPS, "quotation": QUOTATION_STEPS, "workorder": WORKORDER_STEPS}
_STEP_FIELD = {"order": "Order_Step_Desc", "quotation": "Quotation_Step_Desc", "workorder": "WorkOrder_Step_Desc"}


def _records(business: Business, count: int, feed: FeedName | None = None) -> list[dict[str, object]]:
    return [msgspec.json.decode(business.change(feed).record(sync_id)) for sync_id in range(count)]


def _odd_records(count: int) -> list[dict[str, object]]:
    business = Business(5)
    return [msgspec.json.decode(business.change(None, lambda _: True).record(1)) for _ in range(count)]


@given(seed=st.integers(min_value=0), feed=st.sampled_from([None, *FEEDS]))
def test_same_seed(seed: int, feed: FeedName | None) -> None:
    """The same seed gives the same bytes."""
    first, second = Business(seed), Business(seed)
    assert [first.change(feed) for _ in range(60)] == [second.change(feed) for _ in range(60)]


def test_other_seed() -> None:
    """Another seed gives other bytes."""
    assert Business(1).change("order") != Business(2).change("order")


@pytest.mark.parametrize("feed", FEEDS)
def test_documented_fields(feed: FeedName) -> None:
    """A record has the fields of the document's table and of its example, and no others."""
    documented = [name for name, *_ in TABLES[feed]]
    for record in _records(Business(3), 300, feed):
        assert sorted(record) == sorted([*documented, "SyncID"])


def test_sync_id_stands_where_the_document_shows_it() -> None:
    """SyncID is the last field, but of an order the last but one."""
    last_two = {feed: list(_records(Business(3), 1, feed)[0])[-2:] for feed in FEEDS}
    assert last_two["order"] == ["SyncID", "Order_Quotation_Number"]
    assert last_two["quotation"][-1] == last_two["workorder"][-1] == "SyncID"


@pytest.mark.parametrize("feed", FEEDS)
def test_steps(feed: FeedName) -> None:
    """A paper goes through all its steps, never back, and a finished one is not saved again."""
    seen: dict[object, list[int]] = defaultdict(list)
    for record in _records(Business(9), 3000):
        if KEY_FIELDS[feed] in record and (feed == "workorder" or "WorkOrder_Number" not in record):
            seen[record[KEY_FIELDS[feed]]].append(_STEPS[feed].index(str(record[_STEP_FIELD[feed]])))
    last = len(_STEPS[feed]) - 1
    assert all(steps == sorted(steps) and steps[0] == 0 and steps.count(last) <= 1 for steps in seen.values())
    finished = [steps for steps in seen.values() if steps[-1] == last]
    assert finished
    assert all(set(steps) == set(range(last + 1)) for steps in finished)
    assert any(len(steps) > len(_STEPS[feed]) for steps in seen.values())


def test_story() -> None:
    """Accepted quotations become orders that name them, and orders in production make their work orders."""
    records = _records(Business(4), 3000)
    quotations = {record["Quotation_Number"] for record in records if "Quotation_Number" in record}
    orders = {record["Order_Number"] for record in records if "Order_Number" in record}
    linked = {
        number for record in records for number in record.get("Order_Quotation_Number", []) if number in quotations
    }
    assert len(linked) > 10
    assert sum(record.get("WorkOrder_Order_Number") in orders for record in records) > 100


def test_shapes() -> None:
    """Dates, times, flags, nulls, empty strings, trailing spaces and accents look as in the document's examples."""
    records = _records(Business(6), 3000)
    values = [value for record in records for value in record.values()]
    assert all(
        re.fullmatch(r"20\d{6}", str(record["Order_DateDue"])) for record in records if "Order_DateDue" in record
    )
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", str(r["Customer_DateCreate"])) for r in records)
    assert {record["WorkOrder_BackOrder"] for record in records if "WorkOrder_BackOrder" in record} == {0, 1}
    assert None in values
    assert "" in values
    assert any(isinstance(value, str) and value.endswith(" ") for value in values)
    assert any(isinstance(value, str) and not value.isascii() for value in values)
    assert {type(record["WorkOrder_DateInstallation"]) for record in records if "WorkOrder_Number" in record} == {
        str,
        int,
    }


def test_odd_types() -> None:
    """An odd record writes dates, flags and numbers otherwise, and has a field that no table names."""
    records = _odd_records(1000)
    values = [value for record in records for name, value in record.items() if name != "SyncID"]
    documented = {name for rows in TABLES.values() for name, *_ in rows}
    assert any(isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) for value in values)
    assert any(isinstance(value, int) and value > 2**31 for value in values)
    assert any(isinstance(record.get("WorkOrder_BackOrder"), bool) for record in records)
    assert any(isinstance(record.get("AncienSoumission"), str) for record in records)
    assert all(record.keys() - documented - {"SyncID"} for record in records)


def test_odd_types_leave_identity_alone() -> None:
    """The business key of an odd record keeps its type and its value."""
    plain, odd = Business(8), Business(8)
    assert odd.change("order", lambda _: True).key == plain.change("order").key
    assert all(isinstance(record["Order_Number"], int) for record in _odd_records(300) if "Order_Number" in record)
