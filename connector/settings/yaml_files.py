"""Reads one YAML file of settings into the layers.

Must not know which settings exist. A message names file, line and column, and never repeats what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from connector.settings.layers import Layers, Origin

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_MERGE_TAG = "tag:yaml.org,2002:merge"


def overlay_file(layers: Layers, path: Path) -> None:
    """Put the file's values over the layers; what is wrong with it goes to the layers' problems."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        _refuse(layers, f"{path}: cannot be read: {_why(error)}")
        return
    except UnicodeDecodeError as error:
        _refuse(layers, f"{path}: is not UTF-8 text (byte {error.start})")
        return
    reader = _Reader(str(path))
    try:
        tree = reader.read(text)
    except yaml.YAMLError as error:
        _refuse(layers, _syntax_problem(path, error))
        return
    layers.problems += reader.problems
    if tree is None:
        return
    if not isinstance(tree, dict):
        _refuse(layers, f"{path}: is no mapping of settings (`name: value` lines)")
        return
    layers.overlay((), tree, Origin(file=str(path)))


def parse_flow(text: str) -> Any:
    """The value of a text such as `[order, quotation]` or `{partitions: 6}`.

    Raises:
        ValueError: it is no YAML, or says a key twice; without the text.
    """
    reader = _Reader("value")
    try:
        value = reader.read(text)
    except yaml.YAMLError:
        reader.problems.append("syntax")
    if reader.problems:
        msg = "is neither YAML nor JSON"
        raise ValueError(msg)
    return value


class _Reader:
    """Makes plain values of YAML nodes; unlike the library it refuses a key that stands twice in a mapping."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: set[int] = set()
        self.problems: list[str] = []

    def read(self, text: str) -> Any:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            return None if node is None else self._value(loader, node)
        finally:
            loader.dispose()

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node) -> Any:
        if id(node) in self._open:
            raise yaml.MarkedYAMLError(problem="an alias refers to what contains it", problem_mark=node.start_mark)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(loader, node)
            if isinstance(node, yaml.SequenceNode):
                return [self._value(loader, inner) for inner in node.value]
            return _scalar(loader, node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            value = self._value(loader, value_node)
            if key_node.tag == _MERGE_TAG:
                for mapping in _merged(value, key_node):
                    merged = {**mapping, **merged}
                continue
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or not isinstance(_scalar(loader, key_node), str):
                self._complain(key_node, "a key that is no text: put it in quotes")
            elif key in own:
                self._complain(key_node, f"{key} stands twice in its mapping")
            else:
                own[key] = value
        return {**merged, **own}

    def _complain(self, node: yaml.Node, problem: str) -> None:
        self.problems.append(f"{self._source}: {_position(node.start_mark)}: {problem}")


def _scalar(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except ValueError:
        # A number or date that only looks like one; the library's own message would repeat it.
        problem = "a value that YAML takes for a number or date and cannot read: put it in quotes"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


def _merged(value: Any, node: yaml.Node) -> Iterator[dict[str, Any]]:
    for mapping in value if isinstance(value, list) else [value]:
        if not isinstance(mapping, dict):
            raise yaml.MarkedYAMLError(problem="<< takes a mapping", problem_mark=node.start_mark)
        yield mapping


def _refuse(layers: Layers, problem: str) -> None:
    layers.problems.append(problem)
    layers.is_incomplete = True


def _syntax_problem(path: Path, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        # An unquoted secret that begins with *, & or ! is a name to YAML, which its message would repeat.
        problem = _QUOTED.sub(_hide_name, error.problem or "is no YAML")
        return f"{path}: {_position(error.problem_mark)}: {problem}"
    return f"{path}: is no YAML: it holds a character that no YAML file may hold"


def _hide_name(quoted: re.Match[str]) -> str:
    """Of what a message quotes, single characters and the parser's own <names> stay."""
    inner = quoted[0][1:-1]
    return quoted[0] if len(inner) == 1 or inner.startswith("<") else "..."


def _position(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
