"""The names and kinds of all settings, read off their models.

Must not know what any setting means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.settings.layers import Path

PREFIX = "CONNECTOR_"
DELIMITER = "__"

NAME = "<name>"
"""Stands in a path for a key that the user chooses."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting, or one group of them."""

    path: Path
    kind: str
    """`text` (any single value), `list`, `mapping` (keys the user chooses) or `group`."""
    field: FieldInfo | None
    """None for a value inside a mapping."""


class Outline:
    """The settings of one model, groups before what they hold."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.entries = tuple(_entries(model, ()))
        self._kinds = {entry.path: entry.kind for entry in self.entries}

    def kind_at(self, path: Path) -> str | None:
        """The kind of the setting at a path, None when there is none."""
        known: Path = ()
        for key in path:
            known = (*known, key if (*known, key) in self._kinds else NAME)
        return self._kinds.get(known)

    def keys_below(self, path: Path) -> list[str]:
        """The names that may stand inside the group at a path."""
        return [
            entry.path[-1]
            for entry in self.entries
            if len(entry.path) == len(path) + 1
            and all(own in (key, NAME) for own, key in zip(entry.path, path, strict=False))
        ]

    def paths(self, names: Sequence[str]) -> Iterator[Path]:
        """Every setting's path, with these names where the user chooses the first one."""
        for entry in self.entries:
            if NAME not in entry.path:
                yield entry.path
            elif entry.path.count(NAME) == 1:
                yield from (tuple(name if key == NAME else key for key in entry.path) for name in names)


@cache
def outline(model: type[BaseModel]) -> Outline:
    """The outline of a model."""
    return Outline(model)


def variable_of(path: Path) -> str:
    """The environment variable that sets what stands at a path."""
    return PREFIX + DELIMITER.join(key if key == NAME else key.upper() for key in path)


def _entries(model: type[BaseModel], above: Path) -> Iterator[Entry]:
    for name, field in model.model_fields.items():
        yield from _entry((*above, name), _plain(field.annotation), field)


def _entry(path: Path, annotation: Any, field: FieldInfo | None) -> Iterator[Entry]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield Entry(path, "group", field)
        yield from _entries(annotation, path)
    elif get_origin(annotation) is dict:
        yield Entry(path, "mapping", field)
        yield from _entry((*path, NAME), _plain(get_args(annotation)[1]), None)
    else:
        yield Entry(path, "list" if get_origin(annotation) is tuple else "text", field)


def _plain(annotation: Any) -> Any:
    """The annotation without its `| None` and its constraints."""
    if hasattr(annotation, "__metadata__"):
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        [annotation] = [inner for inner in get_args(annotation) if inner is not type(None)]
        return _plain(annotation)
    return annotation
