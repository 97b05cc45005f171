"""docs/settings.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.settings.reference import main as reference_main
from connector.settings.reference import page


def test_reference_page_is_current_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/settings.md is what the code says, and every setting has a meaning."""
    assert reference_main(["--check"]) == 0, capsys.readouterr().err
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 45
    assert all(row.split(" | ")[2].strip(" |") for row in rows)


def test_reference_check_fails_on_an_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that the code has left behind is reported with the command that mends it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    assert reference_main(["--check"]) == 1
    assert reference_main([]) == 0
    assert reference_main(["--check"]) == 0
