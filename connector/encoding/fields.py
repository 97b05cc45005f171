"""What a schema's fields can hold, read from their Avro types.

Must not know where a schema came from, nor how values are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

UNKNOWN_FIELDS = "unknown_fields"
UNPARSED_VALUES = "unparsed_values"
RAW_TEXTS = (UNKNOWN_FIELDS, UNPARSED_VALUES)
"""The two maps that end every record, in this order."""


class Unfit(Exception):
    """A value does not fit its field: it is kept as raw text, never converted with loss (Invariant 5)."""


class Shape(StrEnum):
    """The Avro types a field can have, by the name of the logical type where there is one."""

    BOOLEAN = "boolean"
    INT = "int"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    DATE = "date"
    TIMESTAMP = "timestamp-millis"
    DECIMAL = "decimal"


_PRIMITIVE = frozenset({Shape.BOOLEAN, Shape.INT, Shape.LONG, Shape.FLOAT, Shape.DOUBLE, Shape.STRING})
_ITEMS = frozenset({Shape.INT, Shape.LONG, Shape.STRING})
_LOGICAL_ON = {Shape.DATE: "int", Shape.TIMESTAMP: "long", Shape.DECIMAL: "bytes"}

SUPPORTED = (
    "boolean, int, long, float, double, string, date on int, timestamp-millis on long, decimal on bytes,"
    " array of int, long or string"
)


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field holds beside null."""

    shape: Shape
    is_array: bool = False
    precision: int = 0
    scale: int = 0

    @property
    def is_moment(self) -> bool:
        """Whether it is a date or a time, where the ERP writes an empty string or 0 for none."""
        return self.shape in {Shape.DATE, Shape.TIMESTAMP}

    def __str__(self) -> str:
        return f"array of {self.shape}" if self.is_array else str(self.shape)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the ERP as the schema has it."""

    name: str
    type: FieldType
    is_nullable: bool
    is_personal: bool


def field_type(node: object) -> FieldType | None:
    """The type of an Avro schema node that is no union, None when it is not one of SUPPORTED."""
    if isinstance(node, str):
        return FieldType(Shape(node)) if node in _PRIMITIVE else None
    if not isinstance(node, Mapping):
        return None
    if node.get("type") == "array":
        items = node.get("items")
        return FieldType(Shape(items), is_array=True) if isinstance(items, str) and items in _ITEMS else None
    return _logical(node) if "logicalType" in node else field_type(node.get("type"))


def split_null(node: object) -> tuple[object, bool]:
    """The type and whether it is nullable; `["null", T]` is the one union supported."""
    if isinstance(node, list) and len(node) == len(["null", "T"]) and node[0] == "null":
        return node[1], True
    return node, False


def _logical(node: Mapping[str, Any]) -> FieldType | None:
    name = node["logicalType"]
    if not isinstance(name, str) or name not in _LOGICAL_ON or node.get("type") != _LOGICAL_ON[Shape(name)]:
        return None
    if name != Shape.DECIMAL:
        return FieldType(Shape(name))
    precision, scale = node.get("precision"), node.get("scale", 0)
    if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision:
        return None
    return FieldType(Shape.DECIMAL, precision=precision, scale=scale)
