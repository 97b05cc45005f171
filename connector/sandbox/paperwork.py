"""Fills in new quotations, orders and work orders, in the shapes the ERP's document shows in its examples.

Must not know when one is saved or which SyncID that gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import TypeVar

from connector.sandbox import names
from connector.sandbox.documented import FeedName

Fields = dict[str, object]
_T = TypeVar("_T")

QUOTATION_STEPS = ("01 - FIRST MEETING", "02 - QUOTING STAGE", "03 - SENT TO CUSTOMER", "04 - ACCEPTED")
ORDER_STEPS = ("01 - ENTERED", "02 - IN PRODUCTION", "03 - PARTIAL INVOICING", "04 - INVOICED")
WORKORDER_STEPS = (
    "01 READY FOR PROCESSING - DO NOT OR",  # cut off, as the document's example is
    "02 IN PROCESSING",
    "03 PROCESSING COMPLETED",
    "04 DELIVERED",
)
_POSTAL_LETTERS = "ABCEGHJKLMNPRSTVXY"


@dataclass(slots=True)
class Paper:
    """One quotation, order or work order on its way through its steps; `step` is -1 until it is first saved."""

    feed: FeedName
    key: str
    steps: tuple[str, ...]
    fields: Fields
    step: int = -1


def pick(rng: Random, choices: Sequence[_T]) -> _T:
    """One of them, by the generator's cheapest call: `choice` costs four times as much."""
    return choices[int(rng.random() * len(choices))]


def chance(rng: Random, share: float) -> bool:
    """True in this share of the cases."""
    return rng.random() < share


@lru_cache(maxsize=4096)
def day_text(day: int) -> str:
    """The day of this ordinal as the ERP writes it, YYYYMMDD."""
    return (date(2023, 11, 1) + timedelta(days=day)).strftime("%Y%m%d")


def customer(rng: Random) -> Fields:
    """A new customer: a person, or a company that stands in the last name as the document's examples have it."""
    person = chance(rng, 0.6)
    two_names = person and chance(rng, 0.8)
    first, last = pick(rng, names.FIRST_NAMES), pick(rng, names.LAST_NAMES)
    company = pick(rng, names.COMPANIES)
    return {
        "Customer_Last_Name": (last if two_names else f"{first} {last}") if person else company,
        "Customer_First_Name": first if two_names else None,
        "Customer_Company_Name": company if person and chance(rng, 0.2) else None,
        "Customer_Address": _address(rng),
        "Customer_City": pick(rng, names.CITIES),
        "Customer_PostalCode": _postal_code(rng),
        "Customer_DateCreate": _moment(rng),
        "Customer_Rep": pick(rng, names.STAFF)[0],
        "Customer_Main_Phone": _phone(rng),
        "Customer_Origin": pick(rng, names.ORIGINS),
    }


def quotation(rng: Random, number: int, day: int, buyer: Fields) -> Paper:
    """A quotation that is opened on this day; its closing and validation dates are not known yet."""
    job = pick(rng, names.JOBS)
    fields: Fields = {
        "Quotation_Number": number,
        "Quotation_DateCreate": day_text(day),
        "Quotation_DateClose": None,
        "Quotation_DateValidate": pick(rng, (None, "", day_text(day + 14))),
        "Quotation_Reference_PO": _purchase_order(rng),
        "Quotation_Reference": job,
        "Quotation_Step_Desc": QUOTATION_STEPS[0],
        **_staff(rng, "Quotation"),
        "Quotation_Title": f"{buyer['Customer_Last_Name']} - {job}",
        **buyer,
    }
    return Paper("quotation", str(number), QUOTATION_STEPS, fields)


def order(rng: Random, number: int, day: int, buyer: Fields, quotations: list[int]) -> Paper:
    """An order that is entered on this day, out of these quotations."""
    job = pick(rng, names.JOBS)
    fields: Fields = {
        "Order_Number": number,
        "Order_DateCreate": day_text(day),
        "Order_DateDue": day_text(day + 3 + int(rng.random() * 60)),
        "Order_Step_Desc": ORDER_STEPS[0],
        "Order_Reference_PO": _purchase_order(rng),
        "Order_Reference": f"{buyer['Customer_Last_Name']} - {job}"[:24],
        **_staff(rng, "Order"),
        "Order_Title": f"{buyer['Customer_Last_Name']} - {job}",
        **buyer,
        "Order_Quotation_Number": quotations,
    }
    return Paper("order", str(number), ORDER_STEPS, fields)


def workorder(rng: Random, order_number: int, part: int, day: int, buyer: Fields) -> Paper:
    """One of the work orders of an order; a fifth is delivered elsewhere, a few have a date not filled in as 0."""
    elsewhere = chance(rng, 0.2)
    delivery = day_text(day + 20 + int(rng.random() * 60))
    number = f"{order_number}-{part}"
    fields: Fields = {
        "WorkOrder_Order_Number": order_number,
        "WorkOrder_Number": number,
        "AncienSoumission": order_number,
        "WorkOrder_BackOrder": int(chance(rng, 0.1)),
        "WorkOrder_Step_Desc": WORKORDER_STEPS[0],
        **buyer,
        "WorkOrder_DateDue": day_text(day + 10),
        "WorkOrder_DateDelivery": delivery,
        "WorkOrder_IDCust_Delivery": 1000 + int(rng.random() * 90_000) if elsewhere else 0,
        "WorkOrder_DateInstallation": delivery if chance(rng, 0.95) else pick(rng, ("", 0)),
        "WorkOrder_Workflow": pick(rng, names.WORKFLOWS),
        "Customer_Delivery_FullName": _full_name(rng) if elsewhere else None,
        "Customer_Delivery_Main_Phone": _phone(rng) if elsewhere else None,
        "Customer_Delivery_Address": _address(rng) if elsewhere else None,
        "Customer_Delivery_City": pick(rng, names.CITIES) if elsewhere else None,
        "Customer_Delivery_PostalCode": _postal_code(rng) if elsewhere else None,
        "WorkOrder_Team_Delivery": pick(rng, names.DELIVERY_TEAMS),
        "WorkOrder_Team_Installation": pick(rng, names.INSTALLATION_TEAMS),
        "WorkOrder_Close": 0,
        "WorkOrder_Close_Date": None,
    }
    return Paper("workorder", number, WORKORDER_STEPS, fields)


def _staff(rng: Random, prefix: str) -> Fields:
    sales, representative = pick(rng, names.STAFF), pick(rng, names.STAFF)
    return {
        f"{prefix}_SalesRep_FullName": sales[0],
        f"{prefix}_SalesRep_UserName": sales[1],
        f"{prefix}_Rep_FullName": representative[0],
        f"{prefix}_Rep_UserName": representative[1],
    }


def _full_name(rng: Random) -> str:
    return f"{pick(rng, names.FIRST_NAMES)} {pick(rng, names.LAST_NAMES)}"


def _address(rng: Random) -> str:
    if chance(rng, 0.1):
        return f"PO BOX {1000 + int(rng.random() * 9000)} "  # the trailing space is the document's
    return f"{1 + int(rng.random() * 9998)} {pick(rng, names.STREETS)}"


def _postal_code(rng: Random) -> str:
    letters = [pick(rng, _POSTAL_LETTERS) for _ in range(3)]
    digits = f"{int(rng.random() * 1000):03}"
    gap = pick(rng, (" ", " ", ""))
    return f"{letters[0]}{digits[0]}{letters[1]}{gap}{digits[1]}{letters[2]}{digits[2]}"


def _phone(rng: Random) -> str:
    return f"({pick(rng, ('418', '514', '250', '902'))}) 555-01{int(rng.random() * 100):02}"


def _purchase_order(rng: Random) -> str | None:
    return pick(
        rng, (None, None, "", "AUTUMN 2023", f"U{int(rng.random() * 99)} (H3) 22-{int(rng.random() * 99999):05}")
    )


def _moment(rng: Random) -> str:
    day = date(2016, 1, 1) + timedelta(days=int(rng.random() * 2800))
    if chance(rng, 0.3):
        return f"{day} 00:00:00.000"
    seconds, millis = int(rng.random() * 86_400), int(rng.random() * 1000)
    return f"{day} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"
