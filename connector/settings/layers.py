"""One tree of settings out of several sources, and for each of its values where it came from.

Must not know which settings exist, nor what a value means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a file's name, or an environment variable's."""

    file: str | None = None
    variable: str | None = None

    def spell(self, path: Path) -> str:
        """The setting as its user wrote it."""
        return self.variable if self.variable is not None else f"{self.file}: {'.'.join(path)}"


@dataclass(slots=True)
class Layers:
    """What is read so far."""

    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, Origin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_incomplete: bool = False
    """A source could not be read, so that what is missing from the tree says nothing."""

    def overlay(self, path: Path, value: Any, origin: Origin) -> None:
        """Put a value over what is there: mappings key by key, anything else whole."""
        if isinstance(value, dict) and path:
            self.origins[path] = origin
            if not isinstance(self.find(path), dict):
                self._put(path, {}, origin)
        if isinstance(value, dict):
            for key, inner in value.items():
                self.overlay((*path, key), inner, origin)
        else:
            self._put(path, value, origin)

    def find(self, path: Path) -> Any:
        """The value at a path, None when there is none."""
        found: Any = self.tree
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def spell(self, path: Path) -> str:
        """A setting as its user wrote it; one that nobody wrote, as it would stand in a file."""
        origin = self.origins.get(path)
        return origin.spell(path) if origin is not None else ".".join(path)

    def _put(self, path: Path, value: Any, origin: Origin) -> None:
        place = self.tree
        for depth, key in enumerate(path[:-1], start=1):
            inner = place.get(key)
            if not isinstance(inner, dict):
                inner = place[key] = {}
            self.origins.setdefault(path[:depth], origin)
            place = inner
        place[path[-1]] = value
        self.origins[path] = origin
