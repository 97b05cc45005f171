"""Which names the notifications of one ERP really have, learned as they come, and the struct that msgspec reads.

Must not know how values are written.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from connector.encoding.fields import Field, Shape
from connector.encoding.schemas import FeedSchema

_MOST_EXTRA = 64
_UNSTRUCTURED = frozenset('"\\') | {chr(code) for code in range(0x20)}  # msgspec takes no such names

_Int64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Int32 = Annotated[int, msgspec.Meta(ge=-(1 << 31), le=(1 << 31) - 1)]
_TYPES: dict[Shape, Any] = {
    Shape.BOOLEAN: bool | int,
    Shape.INT: _Int32,
    Shape.LONG: _Int64,
    Shape.STRING: str,
    Shape.DATE: str | int,
    Shape.TIMESTAMP: str | int,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of the names beside the schema's."""

    sometimes: frozenset[str] = field(default_factory=frozenset)
    """Fields of the schema that some notification lacked."""
    extra: tuple[str, ...] = ()
    """Names the schema does not have, sorted; 64 at most, beyond which notifications go the plain way."""

    def grown(self, schema: FeedSchema, names: AbstractSet[str]) -> Layout:
        """This layout after a notification with these names was seen."""
        of_schema = {field.name for field in schema.fields}
        extra = set(self.extra)
        for name in sorted(names - of_schema - extra):
            if len(extra) < _MOST_EXTRA and _UNSTRUCTURED.isdisjoint(name):
                extra.add(name)
        missing = of_schema - names - {schema.sync_id}
        return Layout(self.sometimes | missing, tuple(sorted(extra)))


def row_type(schema: FeedSchema, layout: Layout) -> type[msgspec.Struct]:
    """The struct of one notification: v0, v1, … are the schema's fields, x0, x1, … the extra names.

    Any value that its field does not take as it is, and any other name, makes msgspec refuse the notification.
    """
    columns: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for number, of in enumerate(schema.fields):
        attribute = names[of.name] = f"v{number}"
        columns.append(_column(attribute, _json_type(of), is_optional=of.name in layout.sometimes))
    for number, name in enumerate(layout.extra):
        attribute = names[name] = f"x{number}"
        columns.append(_column(attribute, msgspec.Raw, is_optional=True))
    return msgspec.defstruct(
        "Row",
        columns,
        rename={attribute: name for name, attribute in names.items()},
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _column(attribute: str, taken: Any, *, is_optional: bool) -> tuple[str, Any, Any]:
    if is_optional:
        return attribute, taken | msgspec.UnsetType, msgspec.UNSET
    return attribute, taken, msgspec.NODEFAULT


def _json_type(of: Field) -> Any:
    """What msgspec reads; fractions stay raw, so that no float stands between their text and their field."""
    scalar: Any = _TYPES.get(of.type.shape, msgspec.Raw)
    if scalar is msgspec.Raw:
        return scalar  # takes null too
    taken: Any = list.__class_getitem__(scalar) if of.type.is_array else scalar
    return taken | None if of.is_nullable else taken
