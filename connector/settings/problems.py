"""Turns what the validation found into lines that name the setting as its user wrote it.

Must not show a value: any of them may be a secret in the wrong place.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.settings.layers import Layers, Path
from connector.settings.outline import Outline, outline, variable_of

_TEXT = "must be text: a number or date stands in quotes"
_GROUP = "must be a mapping (`name: value` lines below it)"
_WORDS: Mapping[str, str] = {
    "string_type": _TEXT,
    "path_type": _TEXT,
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "model_type": _GROUP,
    "model_attributes_type": _GROUP,
    "dict_type": _GROUP,
    "tuple_type": "must be a list: [one, two]",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def spelled(error: ValidationError, layers: Layers, model: type[BaseModel]) -> list[str]:
    """One line for each problem, in the order of the settings."""
    found = error.errors(include_url=False, include_input=False)
    return [_line(details, layers, outline(model)) for details in found]


def _line(details: ErrorDetails, layers: Layers, known: Outline) -> str:
    path = tuple(str(key) for key in details["loc"] if key != "[key]" and not isinstance(key, int))
    kind = details["type"]
    if kind == "extra_forbidden":
        close = get_close_matches(path[-1], known.keys_below(path[:-1]), n=1)
        hint = f": did you mean {close[0]}?" if close else " (docs/settings.md lists them all)"
        return f"{layers.spell(path)}: no such setting{hint}"
    if kind == "missing":
        return f"{_spell_missing(path, layers)}: is missing: set it in a file, or as {variable_of(path)}"
    return f"{_spell_missing(path, layers)}: {_words(kind, details)}"


def _words(kind: str, details: ErrorDetails) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    context: Mapping[str, Any] = details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}"
    return details["msg"].replace("Input should be", "must be").replace("Input should", "must")


def _spell_missing(path: Path, layers: Layers) -> str:
    """A setting that nobody wrote is spelled like the group that lacks it, so that the file is named."""
    if path in layers.origins:
        return layers.spell(path)
    for depth in range(len(path) - 1, 0, -1):
        origin = layers.origins.get(path[:depth])
        if origin is not None:
            return origin.spell(path) if origin.file is not None else f"{'.'.join(path)} ({origin.variable})"
    return ".".join(path)
