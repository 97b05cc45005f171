"""What the pages of docs/ name exists: every test, every switch of the sandbox, every setting."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from connector.sandbox.faults import FaultKind
from connector.sandbox.serve import SandboxOptions
from connector.settings.site import Site

CHECKOUT = Path(__file__).parents[2]
_TEST = re.compile(r"(test_\w+\.py)::(test_\w+)(?:\[([^\]]+)\])?")


def named_tests() -> list[tuple[str, str, str]]:
    found = {match for page in CHECKOUT.glob("docs/**/*.md") for match in _TEST.findall(page.read_text())}
    return sorted(found)


@pytest.mark.parametrize(("file", "name", "case"), named_tests(), ids="-".join)
def test_a_test_that_a_page_names_exists(file: str, name: str, case: str) -> None:
    """In the one file of that name; a case is spelled there, too."""
    [path] = (CHECKOUT / "tests").rglob(file)
    text = path.read_text()
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert name in [function.name for function in functions]
    spelled = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert not case or case in spelled or {*case.split("-")} <= spelled


def test_the_pages_name_tests() -> None:
    """The test above is not empty."""
    assert len(named_tests()) > 50


def test_switches_and_settings_that_the_assumptions_name_exist() -> None:
    """The third and fourth columns of the table."""
    switches = {kind.value for kind in FaultKind} | {field.name for field in dataclasses.fields(SandboxOptions)}
    settings = {*Site.model_fields, "schema_dirs"}
    page = (CHECKOUT / "docs" / "assumptions.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ") and "::" in line]
    assert len(rows) > 15
    for row in rows:
        assert len(row) == 5, row
        assert set(re.findall(r"`(\w+)`", row[2])) <= settings
        assert set(re.findall(r"`(\w+)`", row[3])) <= switches
