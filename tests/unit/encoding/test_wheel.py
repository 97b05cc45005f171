"""The schemas are inside the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LISTING = """
import json
from dataclasses import asdict
import connector
from connector.encoding.schemas import load_schemas, schema_rows
print(json.dumps({"package": connector.__file__, "rows": [asdict(row) for row in schema_rows(load_schemas())]}))
"""


def run(*command: str, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]  # noqa: S603  our own interpreter
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


def test_no_top_level_avro(wheel: Path) -> None:
    """A folder of that name would merge with Apache's package of the same name."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"connector"}
    assert {name for name in names if name.endswith(".avsc")} == {
        f"connector/{path.relative_to(ROOT)}" for path in (ROOT / "avro").rglob("*.avsc")
    }


def test_an_installed_wheel_lists_its_schemas(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout, the package's own files are found."""
    installed = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, "--target", str(installed), str(wheel))
    listed = json.loads(
        run(sys.executable, "-c", LISTING, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(installed)})
    )
    assert listed["package"].startswith(str(installed))
    assert {row["feed"] for row in listed["rows"]} == {"order", "quotation", "workorder"}
    assert all(row["path"].startswith(str(installed / "connector" / "avro")) for row in listed["rows"])
