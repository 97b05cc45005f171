"""Reads the environment's CONNECTOR_ variables into the layers.

Must not know which settings exist beyond asking their models for names and types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from connector.settings.layers import Layers, Origin, Path
from connector.settings.outline import DELIMITER, PREFIX, outline, variable_of
from connector.settings.yaml_files import parse_flow

TEST_VARIABLE = "CONNECTOR_TEST_KAFKA"  # says which broker the tests use, and is no setting

# What Kubernetes puts into every pod beside a Service (documented under "Discovering services", environment variables).
_SERVICE_VARIABLE = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")


def overlay_environment(layers: Layers, environ: Mapping[str, str], model: type[BaseModel]) -> None:
    """Put the variables over the layers; an unknown one goes to the layers' problems."""
    found = dict(_ours(environ))
    by_path: dict[Path, str] = {}
    for name in sorted(found, key=lambda name: (name.count(DELIMITER), name)):
        path = tuple(name.removeprefix(PREFIX).lower().split(DELIMITER))
        kind = outline(model).kind_at(path)
        if kind is None:
            layers.problems.append(f"{name}: no such setting{_suggestion(name, layers, found, model)}")
        elif path in by_path:
            layers.problems.append(f"{name}: is the same setting as {by_path[path]}: keep one of them")
        else:
            by_path[path] = name
            _overlay(layers, path, name, found[name], kind)


def _overlay(layers: Layers, path: Path, name: str, text: str, kind: str) -> None:
    try:
        value = text if kind == "text" else _structured(text, kind)
    except ValueError as error:
        layers.problems.append(f"{name}: {error}")
        return
    layers.overlay(path, value, Origin(variable=name))


def _structured(text: str, kind: str) -> Any:
    """A list or mapping: YAML or JSON, or for a list simply its words with commas between."""
    if kind == "list" and not text.lstrip().startswith("["):
        return [word.strip() for word in text.split(",") if word.strip()]
    return parse_flow(text)


def _ours(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    services = ["CONNECTOR", *_service_prefixes(environ)]
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name == TEST_VARIABLE:
            continue
        if not any(name.startswith(s) and _SERVICE_VARIABLE.fullmatch(name, len(s)) for s in services):
            yield name, value


def _service_prefixes(environ: Mapping[str, str]) -> list[str]:
    """Services whose own name begins with "connector-": a Helm release called connector makes such names."""
    suffix = "_SERVICE_HOST"
    return [name.removesuffix(suffix) for name in environ if name.startswith(PREFIX) and name.endswith(suffix)]


def _suggestion(name: str, layers: Layers, found: Mapping[str, str], model: type[BaseModel]) -> str:
    sites = layers.find(("sites",))
    names = list(sites) if isinstance(sites, dict) else []
    begin = f"{PREFIX}SITES{DELIMITER}"
    names += [other.removeprefix(begin).split(DELIMITER)[0].lower() for other in found if other.startswith(begin)]
    known = [variable_of(path) for path in outline(model).paths(names)]
    close = get_close_matches(name.upper(), known, n=1, cutoff=0.75)
    return f": did you mean {close[0]}?" if close else " (docs/settings.md lists them all)"
