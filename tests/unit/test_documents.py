"""What the documents say is there is there, and what they print is what runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_readme_is_short() -> None:
    """One page: under 150 lines."""
    assert (ROOT / "README.md").read_text().count("\n") < 150


def test_the_readme_prints_the_consumer_that_the_demo_runs() -> None:
    """Copy it from the README and it is the tested one, of less than 40 lines."""
    consumer = (ROOT / "examples" / "consume.py").read_text()
    assert consumer in (ROOT / "README.md").read_text()
    assert consumer.count("\n") < 40


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_exist(document: Path) -> None:
    """A relative link, and a file or folder of ours named in backticks, leads somewhere."""
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (document.parent / link).exists(), link
    for named in re.findall(r"`((?:tests|connector|benchmarks|docs|avro|examples)/[\w/.-]+\.\w+)(?:::\w+)?`", text):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_and_tests_that_documents_name_exist(document: Path) -> None:
    """`make TARGET` and `file.py::test` are real."""
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    for file, test in re.findall(r"([\w/]+\.py)::(test_\w+)", text):
        found = [path for path in (ROOT / "tests").rglob("*.py") if str(path).endswith(file)]
        assert found, file
        assert any(re.search(rf"def {test}\b", path.read_text()) for path in found), f"{file}::{test}"
