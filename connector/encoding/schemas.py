"""The schemas of all feeds: finds, checks and fingerprints them; one file is one feed.

Must not know how values are encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from connector.encoding.checking import erp_fields, problems, sync_id_field
from connector.encoding.fields import Field
from connector.errors import ConfigurationWrong

_SUFFIX = ".avsc"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAME_RULE = (
    "schemas lie in <folder>/<kind>/<feed>.avsc, both names of at most 64 small letters, digits and _, a letter first"
)

Schemas = Mapping[tuple[str, str], "FeedSchema"]
"""By (kind, feed)."""


@dataclass(frozen=True, slots=True, eq=False)
class FeedSchema:
    """How one feed's records are written."""

    kind: str
    feed: str
    path: Path
    fields: tuple[Field, ...] = field(repr=False)
    """The ERP's fields in the schema's order; the two maps of raw texts follow them."""
    sync_id: str
    business_key: str
    fingerprint: bytes
    """CRC-64-AVRO of the Parsing Canonical Form, little endian (Avro 1.12 specification, "Single-object encoding")."""
    schema: Mapping[str, Any] = field(repr=False)
    parsed: Any = field(repr=False)
    """The schema in the form fastavro works with."""

    @property
    def name(self) -> str:
        """The record's full name in Avro."""
        return str(self.parsed["name"])

    @property
    def personal_fields(self) -> tuple[str, ...]:
        """The fields tagged as information about a natural person (Quebec's Law 25), the two maps included."""
        return tuple(entry["name"] for entry in self.schema["fields"] if entry.get("personal") is True)


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """One line of `cien-connector schemas`."""

    kind: str
    feed: str
    name: str
    fingerprint: str
    fields: int
    personal_fields: int
    business_key: str
    path: str


def load_schemas(schema_dirs: Iterable[Path] = ()) -> dict[tuple[str, str], FeedSchema]:
    """Every feed's schema: ours, and those of the customer's own folders, laid out `<folder>/<kind>/<feed>.avsc`.

    Raises:
        ConfigurationWrong: with every problem of every file.
    """
    found: dict[tuple[str, str], FeedSchema] = {}
    wrong: list[str] = []
    for folder in (_own_folder(), *(Path(given) for given in schema_dirs)):
        for path in _paths(folder, wrong):
            schema = _load(path, wrong)
            if schema is not None:
                _add(schema, found, wrong)
    if wrong:
        raise ConfigurationWrong(wrong)
    return dict(sorted(found.items()))


def schema_rows(schemas: Schemas) -> list[SchemaRow]:
    """What there is, for people and scripts."""
    return [
        SchemaRow(
            schema.kind,
            schema.feed,
            schema.name,
            schema.fingerprint.hex(),
            len(schema.fields),
            len(schema.personal_fields),
            schema.business_key,
            str(schema.path),
        )
        for schema in schemas.values()
    ]


def parse(document: Mapping[str, Any], path: Path) -> FeedSchema:
    """The schema of a document that `checking.problems` finds nothing wrong with."""
    canonical = to_parsing_canonical_form(dict(document))
    return FeedSchema(
        kind=path.parent.name,
        feed=path.stem,
        path=path,
        fields=tuple(erp_fields(document)),
        sync_id=sync_id_field(document),
        business_key=document["business_key"],
        fingerprint=bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")),
        schema=document,
        parsed=fastavro.parse_schema(dict(document)),
    )


def _own_folder() -> Path:
    """Package data of an installed wheel, or the checkout's folder beside the package."""
    package = Path(str(files("connector")))
    installed = package / "avro"
    return installed if installed.is_dir() else package.parent / "avro"


def _paths(folder: Path, wrong: list[str]) -> Iterator[Path]:
    """The schema files of a folder."""
    try:
        misplaced = [path for path in _entries(folder) if path.name.endswith(_SUFFIX)]
        placed = [path for kind in _entries(folder) if kind.is_dir() for path in _entries(kind)]
    except OSError as error:
        wrong.append(f"{folder}: the folder of schemas cannot be read: {error.strerror}")
        return
    wrong.extend(f"{path}: {_NAME_RULE}" for path in misplaced)
    for path in placed:
        if not path.name.endswith(_SUFFIX):
            continue
        if _NAME.fullmatch(path.parent.name) and _NAME.fullmatch(path.stem):
            yield path
        else:
            wrong.append(f"{path}: {_NAME_RULE}")


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder; hidden entries are passed over: a mounted ConfigMap has its own."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _load(path: Path, wrong: list[str]) -> FeedSchema | None:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        wrong.append(f"{path}: cannot be read: {error.strerror}")
        return None
    except ValueError as error:
        wrong.append(f"{path}: is no JSON: {error}")
        return None
    if found := problems(document):
        wrong.extend(f"{path}: {problem}" for problem in found)
        return None
    return parse(document, path)


def _add(schema: FeedSchema, found: dict[tuple[str, str], FeedSchema], wrong: list[str]) -> None:
    """Take a schema in unless it is there already; two that differ, or that readers would mix up, are refused."""
    key = (schema.kind, schema.feed)
    known = found.get(key)
    if known is not None:
        if known.schema != schema.schema:
            wrong.append(f"{schema.path}: {'/'.join(key)} is already described by {known.path}: rename or remove one")
        return
    for other in found.values():
        if other.fingerprint == schema.fingerprint:
            wrong.append(f"{schema.path}: has the record name and fields of {other.path}: give it a name of its own")
            return
    found[key] = schema
