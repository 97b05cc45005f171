"""The three lists as the ERP's document tabulates them ("Cienapps - API", API Routes), for the console's pages.

Must not know the sandbox's business: the lists are served as bytes and never pass through these models.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictInt, create_model

FeedName = Literal["order", "quotation", "workorder"]
FEEDS: tuple[FeedName, ...] = get_args(FeedName)
KEY_FIELDS: dict[FeedName, str] = {
    "order": "Order_Number",
    "quotation": "Quotation_Number",
    "workorder": "WorkOrder_Number",
}

_Row = tuple[str, object, str, object]
_STAFF: tuple[_Row, ...] = (
    ("SalesRep_FullName", str, "Full name of the sales rep", "ZOÉ MARCHESSAULT"),
    ("SalesRep_UserName", str, "Cienapps username of the sales rep", "ZMARCHESSAULT"),
    ("Rep_FullName", str, "Full name of the representative", "RORY QUINLAN"),
    ("Rep_UserName", str, "Cienapps username of the representative", "RQUINLAN"),
)
_CUSTOMER: tuple[_Row, ...] = (
    ("Customer_Last_Name", str, "Customer last name", "HOLLOWAY"),
    ("Customer_First_Name", str, "Customer first name", "TESSA"),
    ("Customer_Company_Name", str, "Company name", "CUISINES BORÉALES LTÉE"),
    ("Customer_Address", str, "Address", "999 QUARRY BLVD"),
    ("Customer_City", str, "City", "MONTRÉAL"),
    ("Customer_PostalCode", str, "Postal code, X0X 0X0", "S0S 2P0"),
    ("Customer_DateCreate", str, "Customer creation date and time, UTC", "2023-08-07 16:29:54.245"),
    ("Customer_Rep", str, "Customer representative", "RORY QUINLAN"),
    ("Customer_Main_Phone", str, "Phone number", "(418) 555-0166"),
    ("Customer_Origin", str, "Customer origin", "REPUTATION"),
)
_ORDER: tuple[_Row, ...] = (
    ("Order_Number", int, "Order number, 4 or 8 bytes", 745837),
    ("Order_DateCreate", str, "Creation date, YYYYMMDD", "20231101"),
    ("Order_DateDue", str, "Due date, YYYYMMDD", "20231106"),
    ("Order_Step_Desc", str, "Order step", "PARTIAL INVOICING"),
    ("Order_Reference_PO", str, "Purchase order reference", "U27 (H3) 22-02756"),
    ("Order_Reference", str, "General reference", "KITCHEN 3 PIECES"),
    *((f"Order_{name}", kind, says, example) for name, kind, says, example in _STAFF),
    ("Order_Title", str, "Order title", "CONDOMINIUM WITH 3 FLOORS"),
    *_CUSTOMER,
    ("Order_Quotation_Number", list[int], "Quotation numbers linked to the order", [84738, 95837]),
)
_QUOTATION: tuple[_Row, ...] = (
    ("Quotation_Number", int, "Quotation number, 4 or 8 bytes", 15000),
    ("Quotation_DateCreate", str, "Creation date, YYYYMMDD", "20231110"),
    ("Quotation_DateClose", str, "Closing date, YYYYMMDD", "20231110"),
    ("Quotation_DateValidate", str, "Validation date, YYYYMMDD", "20231124"),
    ("Quotation_Reference_PO", str, "Purchase order reference", "AUTUMN 2023"),
    ("Quotation_Reference", str, "Reference", "KITCHEN"),
    ("Quotation_Step_Desc", str, "Quotation step", "1-STEP FIRST MEETING"),
    *((f"Quotation_{name}", kind, says, example) for name, kind, says, example in _STAFF),
    ("Quotation_Title", str, "Quotation title", "CONDOMINIUM WITH 3 FLOORS"),
    *_CUSTOMER,
)
_WORKORDER: tuple[_Row, ...] = (
    ("WorkOrder_Order_Number", int, "Order linked to the work order, 4 bytes", 5610),
    ("WorkOrder_Number", str, "Work order number", "5610-2"),
    ("AncienSoumission", int, "In the document's example, in no table", 4704),
    ("WorkOrder_BackOrder", int, "Product on back order: documented Boolean, shown as 0 or 1", 0),
    ("WorkOrder_Step_Desc", str, "Work order step", "03 PROCESSING COMPLETED"),
    *_CUSTOMER,
    ("WorkOrder_DateDue", str, "Due date: documented YYYY-MM-DD, shown as YYYYMMDD", "20231116"),
    ("WorkOrder_DateDelivery", str, "Delivery date, as above", "20240102"),
    ("WorkOrder_IDCust_Delivery", int, "Not zero if the delivery address differs, 4 bytes", 43648),
    ("WorkOrder_DateInstallation", str, "Installation date, as above", "20240102"),
    ("WorkOrder_Workflow", str, "Workflow", "JOB WITHOUT FINISHING"),
    ("Customer_Delivery_FullName", str, "Full name of delivery recipient", "THÉODORA ASHDOWN"),
    ("Customer_Delivery_Main_Phone", str, "Main phone number of delivery recipient", "(456) 555-0137"),
    ("Customer_Delivery_Address", str, "Delivery recipient address", "758 LIGHTHOUSE LANE"),
    ("Customer_Delivery_City", str, "Delivery recipient city", "LÉVIS"),
    ("Customer_Delivery_PostalCode", str, "Delivery recipient postal code", "X0X0X0"),
    ("WorkOrder_Team_Delivery", str, "Delivery team", "SHIPPING"),
    ("WorkOrder_Team_Installation", str, "Installation team", "INSTALLATION"),
    ("WorkOrder_Close", int, "In the document's example, in no table", 0),
    ("WorkOrder_Close_Date", str, "In the document's example, in no table", None),
)
TABLES: dict[FeedName, tuple[_Row, ...]] = {"order": _ORDER, "quotation": _QUOTATION, "workorder": _WORKORDER}


def _model(name: str, rows: tuple[_Row, ...]) -> type[BaseModel]:
    fields: dict[str, object] = {
        field: (kind | None, Field(default=None, description=says, examples=[example]))  # type: ignore[operator]
        for field, kind, says, example in rows
    }
    fields["SyncID"] = (int, Field(description="Notification ID", examples=[48393]))
    model: type[BaseModel] = create_model(name, **fields)  # type: ignore[call-overload]
    return model


MODELS: dict[FeedName, type[BaseModel]] = {
    "order": _model("Order", _ORDER),
    "quotation": _model("Quotation", _QUOTATION),
    "workorder": _model("WorkOrder", _WORKORDER),
}


class Confirmation(BaseModel):
    """The notifications that are read, as the lists named them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"SyncID": [11, 12, 13]}]})

    SyncID: list[StrictInt] = Field(description="Notification IDs received from the lists, of any feed")


class Confirmed(BaseModel):
    """The answer to a confirm; the document does not show one."""

    confirmed: int = Field(description="How many of them were pending until now")
