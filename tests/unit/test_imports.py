"""What a running connector loads, and what it leaves out."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from connector.imports import without

_RUN = """
import sys
from connector.imports import without
with without("rich", "httpx._main"):
    from connector.app import App
loaded = {"rich", "pygments"} & sys.modules.keys()
import rich.console
import httpx
assert not loaded, loaded
assert None not in sys.modules.values()
"""


def test_hidden_module_is_missing_for_a_while() -> None:
    """Within the block the import fails; after it, the module can be imported."""
    with without("wave"), pytest.raises(ImportError):
        import_module("wave")
    assert import_module("wave").__name__ == "wave"


def test_loaded_module_stays() -> None:
    """What is loaded already is left alone: other parts hold it."""
    with without("subprocess"):
        assert import_module("subprocess") is subprocess


def test_program_runs_without_what_only_terminals_need() -> None:
    """The running program loads neither rich nor pygments, and other commands still can."""
    subprocess.run([sys.executable, "-c", _RUN], check=True)  # noqa: S603  this interpreter and the program above
