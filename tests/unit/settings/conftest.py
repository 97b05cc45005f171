from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.settings_files import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str, name: str = "connector.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file
