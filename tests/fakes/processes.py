"""Python processes for the crash tests: their own log, a deadline on every wait, and no survivors."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from connector.sandbox.processes import Child

CHECKOUT = Path(__file__).parents[2]
_LOOK_EVERY_SECONDS = 0.02


def spawn_python(arguments: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Run this interpreter with the checkout as working directory and importable.

    Args:
        arguments: a script and its arguments, or `-m` and a module.
        log: the file its output is appended to, unbuffered.
        env: what is added to this process's environment.
    """
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(CHECKOUT)} | dict(env or {})
    return Child([sys.executable, *arguments], log=log, env=environment, folder=CHECKOUT)


def wait_for_line(child: Child, text: str, *, after: int = 0, deadline_seconds: float = 30.0) -> str:
    """Block until the child's log has a whole line that contains `text`, and return that line.

    Args:
        child: whose log.
        text: what to look for.
        after: how many lines from the log's beginning not to look at: those of an earlier child with the same log.
        deadline_seconds: how long to look.

    Raises:
        TimeoutError: there is none in time.
        RuntimeError: there is none and the child has ended.
    """
    deadline = time.monotonic() + deadline_seconds
    while True:
        # Asked before reading: what a child wrote before it ended is then in what is read.
        exit_code = child.exit_code
        for line in whole_lines(child.log)[after:]:
            if text in line:
                return line
        if exit_code is not None:
            message = f"the process ended with {exit_code} and never wrote {text!r}; its log ends\n{child.log_tail()}"
            raise RuntimeError(message)
        if time.monotonic() > deadline:
            message = f"no line with {text!r} after {deadline_seconds} s; the log ends\n{child.log_tail()}"
            raise TimeoutError(message)
        time.sleep(_LOOK_EVERY_SECONDS)


def whole_lines(log: Path) -> list[str]:
    """The log's finished lines."""
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    return [line.rstrip("\n") for line in text.splitlines(keepends=True) if line.endswith("\n")]
