"""Tells an exception in one structured value: its type, its cleaned message, and where it passed.

Must not know who raised it. Source lines and local values are not shown: they may hold what a record holds.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any

from connector.errors import ConnectorError
from connector.ops.redaction import Redaction

_FRAMES = 20
_CHAIN = 5


def told(error: BaseException, redaction: Redaction, depth: int = _CHAIN) -> dict[str, Any]:
    """The exception and what it came from, as plain values."""
    story: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "message": _message(error, redaction),
        "frames": _frames(error),
    }
    cause = error.__cause__ if error.__cause__ is not None or error.__suppress_context__ else error.__context__
    if cause is not None and depth > 1:
        story["cause"] = told(cause, redaction, depth - 1)
    if isinstance(error, BaseExceptionGroup) and depth > 1:
        story["exceptions"] = [told(inner, redaction, depth - 1) for inner in error.exceptions[:_CHAIN]]
    return story


def as_text(story: dict[str, Any]) -> str:
    """The same on a terminal: the message, then a line for each place, then what it came from."""
    lines = [f"{story['type']}: {story['message']}", *(f"  at {frame}" for frame in story["frames"])]
    inner = [*story.get("exceptions", ()), *([story["cause"]] if "cause" in story else ())]
    return "\n".join([*lines, *(f"from {as_text(other)}" for other in inner)])


def _message(error: BaseException, redaction: Redaction) -> str:
    """Our own messages hold no value by contract; the operating system's name a file, and others may quote anything."""
    return redaction.text(str(error), is_foreign=not isinstance(error, ConnectorError | OSError))


def _frames(error: BaseException) -> list[str]:
    """Innermost last."""
    summary = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in summary]


def _short(filename: str) -> str:
    parts = PurePath(filename).parts
    for anchor in ("site-packages", "connector"):
        if anchor in parts:
            at = len(parts) - 1 - parts[::-1].index(anchor)
            return "/".join(parts[at + (anchor == "site-packages") :])
    return "/".join(parts[-2:])
