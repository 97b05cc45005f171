"""Configuration files that are right, and the problems of those that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from connector.errors import ConfigurationWrong
from connector.settings import load_settings

SECRET = "canary-f00d-secret"
MINIMAL = """\
app: plant1
kafka: {bootstrap_servers: "localhost:9092"}
sites:
  montreal: {kind: cienapps, base_url: "https://erp.example:8443", token: canary-f00d-secret}
"""


Write = Callable[..., Path]


def problems(*paths: Path, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationWrong) as caught:
        load_settings(paths, environ)
    assert SECRET not in str(caught.value)
    return [problem.replace(f"{paths[0].parent}/" if paths else "\0", "") for problem in caught.value.problems]


def of_site(write: Write, **site: object) -> list[str]:
    tree = yaml.safe_load(MINIMAL)
    tree["sites"]["montreal"] |= site
    return problems(write(yaml.safe_dump(tree)))


def of_kafka(write: Write, **kafka: object) -> list[str]:
    tree = yaml.safe_load(MINIMAL)
    tree["kafka"] |= kafka
    return problems(write(yaml.safe_dump(tree)))
