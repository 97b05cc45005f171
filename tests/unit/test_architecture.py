"""Who may import whom: the house's dependency direction, read from the imports themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "connector"
FOUNDATION = {"connector", "model", "errors", "identity"}
ROOMS = {"erp", "encoding", "kafka", "ops"}
LOOP = {"delivery", "parts", "confirming", "pacing", "standing"}
ALLOWED = {
    **{room: FOUNDATION | {room} for room in ROOMS},
    **dict.fromkeys(LOOP, FOUNDATION | LOOP),
    "model": {"connector"},
    "errors": {"connector"},
    "identity": {"connector"},
    "settings": {"connector", "errors", "settings"},
}
# Each of these has one room to live in; elsewhere its own words would leak.
HOMES = {
    "httpx": {"erp", "sandbox", "cli"},
    "aiokafka": {"kafka", "sandbox"},
    "fastavro": {"encoding"},
    "prometheus_client": {"ops"},
    "starlette": {"ops", "sandbox"},
    "uvicorn": {"ops", "sandbox"},
    "structlog": {"ops"},
    "pydantic": {"settings", "sandbox"},
    "typer": {"cli"},
    "fastapi": {"sandbox"},
    "confluent_kafka": {"sandbox"},
    "jgo": {"sandbox"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "connector" if first == "__init__" else first


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides its direction"
            yield node.module or ""
            if node.module == "connector":
                yield from (f"connector.{alias.name}" for alias in node.names if alias.name != "__version__")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may_see(path: Path) -> None:
    """Cli → app → rooms → foundation; rooms do not see one another; the loop sees no room."""
    room = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "connector" and room in ALLOWED:
            seen = parts[1] if len(parts) > 1 else "connector"
            assert seen in ALLOWED[room], f"{path.relative_to(ROOT)} imports {name}"
        homes = HOMES.get(parts[0])
        assert homes is None or room in homes, f"{path.relative_to(ROOT)} imports {name}, which lives in {homes}"


def test_nothing_imports_the_sandbox_but_the_command_line_and_itself() -> None:
    """The sandbox is an extra: production code runs without it."""
    for path in modules():
        if room_of(path) not in {"sandbox", "cli"}:
            assert not any(name.startswith("connector.sandbox") for name in imports(path)), path


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_small(path: Path) -> None:
    """At most 300 lines, functions of at most 50: one idea each."""
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 50, f"{node.name} in {path}"


def test_invariants_are_cited_where_they_are_enforced() -> None:
    """Each of the seven numbers of docs/design.md stands at a line of code."""
    cited = {
        int(text.split("Invariant ")[1][0])
        for path in modules()
        for text in path.read_text().split("\n")
        if "Invariant " in text
    }
    assert cited == set(range(1, 8))
