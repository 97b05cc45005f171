"""Finding, checking and fingerprinting schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastavro.schema import fingerprint

from connector.encoding.checking import problems
from connector.encoding.schemas import load_schemas, schema_rows
from connector.errors import ConfigurationWrong
from tests.fakes.wide_schema import document, wide_schema

OURS = {("cienapps", "order"), ("cienapps", "quotation"), ("cienapps", "workorder")}


def place(folder: Path, kind: str, feed: str, content: Any) -> Path:
    path = folder / kind / f"{feed}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(name: str, /, **attributes: Any) -> dict[str, Any]:
    """The wide schema with attributes of one field replaced, or taken away where None."""
    whole = document()
    entry = next(entry for entry in whole["fields"] if entry["name"] == name)
    entry.update(attributes)
    return whole


def refused(*folders: Path) -> list[str]:
    with pytest.raises(ConfigurationWrong) as caught:
        load_schemas(folders)
    return caught.value.problems


def test_a_folder_of_the_customers_own(tmp_path: Path) -> None:
    """Its feeds stand beside ours; nothing else is needed to add one."""
    path = place(tmp_path, "ourerp", "ticket_2", document())
    schemas = load_schemas([tmp_path])
    assert schemas.keys() >= OURS | {("ourerp", "ticket_2")}
    added = schemas["ourerp", "ticket_2"]
    assert (added.name, added.business_key, added.sync_id, added.path) == ("test.Wide", "Key", "SyncID", path)
    assert [field.name for field in added.fields] == [entry["name"] for entry in document()["fields"][:-2]]


def test_an_identical_copy_of_one_of_ours(tmp_path: Path) -> None:
    """The same feed described twice in the same words is one feed."""
    place(tmp_path, "cienapps", "order", load_schemas()["cienapps", "order"].path.read_text())
    assert load_schemas([tmp_path]).keys() == load_schemas().keys()


def test_another_description_of_one_of_ours(tmp_path: Path) -> None:
    """Which of two holds is not for the order of folders to decide."""
    path = place(tmp_path, "cienapps", "order", document())
    (problem,) = refused(tmp_path)
    assert str(path) in problem
    assert "already described by" in problem


def test_two_feeds_with_the_same_record_name_and_fields(tmp_path: Path) -> None:
    """A reader finds the schema by its fingerprint: two feeds must not share one."""
    place(tmp_path, "ourerp", "one", document())
    place(tmp_path, "ourerp", "two", document())
    (problem,) = refused(tmp_path)
    assert "two.avsc" in problem
    assert "give it a name of its own" in problem


def test_a_mounted_config_map(tmp_path: Path) -> None:
    """Kubernetes shows files through hidden folders and links; each schema counts once."""
    place(tmp_path / "..data", "ourerp", "ticket", document())
    (tmp_path / "ourerp").symlink_to(tmp_path / "..data" / "ourerp")
    place(tmp_path, "..data", "ticket", document())
    assert load_schemas([tmp_path]).keys() == OURS | {("ourerp", "ticket")}


def test_every_problem_of_every_file_at_once(tmp_path: Path) -> None:
    """Nobody starts a program five times to find five mistakes."""
    place(tmp_path, "ourerp", "one", "{")
    place(tmp_path, "ourerp", "two", changed("Whole", type="long"))
    place(tmp_path, "ourerp", "Three", document())
    place(tmp_path, "", "four", document())
    found = "\n".join(refused(tmp_path, tmp_path / "nowhere"))
    for name, words in [
        ("one.avsc", "is no JSON"),
        ("two.avsc", "field Whole"),
        ("Three.avsc", "small letters"),
        ("four.avsc", "<folder>/<kind>/<feed>.avsc"),
        ("nowhere", "cannot be read"),
    ]:
        assert any(name in line and words in line for line in found.splitlines()), (name, found)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no Avro record"),
        ({"type": "enum"}, "no Avro record"),
        (document(fields="x"), "no list of fields"),
        (changed("Whole", type=["null", "uuid"]), "field Whole: its type is not supported"),
        (changed("Whole", type=["long", "null"]), "field Whole: its type is not supported"),
        (changed("Whole", type=["null", {"type": "long", "logicalType": "timestamp-micros"}]), "field Whole"),
        (changed("Day", type=["null", {"type": "long", "logicalType": "date"}]), "field Day"),
        (changed("Money", type=["null", {"type": "bytes", "logicalType": "decimal"}]), "field Money"),
        (changed("Texts", type=["null", {"type": "array", "items": "double"}]), "field Texts"),
        (changed("Whole", type="long"), "field Whole: is not nullable with default null"),
        (changed("Whole", default=0), "field Whole: is not nullable with default null"),
        (changed("SyncID", type="int"), "field SyncID: the identity"),
        (changed("SyncID", type=["null", "long"]), "field SyncID: the identity"),
        (changed("unknown_fields", default=None), "field unknown_fields"),
        (changed("unparsed_values", type={"type": "map", "values": "bytes"}), "field unparsed_values"),
        (document(fields=document()["fields"][:-1]), "does not end with the fields"),
        (document(fields=document()["fields"][::-1]), "does not end with the fields"),
        (document(business_key="Nothing"), "no business key"),
        (document(business_key=None), "no business key"),
        (document(business_key="Day"), "business_key Day"),
        (document(business_key="Texts"), "business_key Texts"),
        (document(sync_id="Nothing"), "field Nothing: the identity"),
        (document(name="Not a name"), "is no Avro name"),
        (document(namespace="two..dots"), "is no Avro name"),
        (document(name=None), "is no Avro name"),
        (document(fields=[document()["fields"][0], *document()["fields"]]), "field Key: stands there 2 times"),
        (changed("Whole", name="No name"), "has no Avro name"),
        (changed("Whole", name="x\nimport os"), "has no Avro name"),
        (changed("Whole", name=None), "has no Avro name"),
        (changed("Whole", aliases="x"), "no valid Avro schema"),
    ],
)
def test_a_schema_that_cannot_be_used(given: Any, words: str) -> None:
    """The sentence names the field and says what to write."""
    assert any(words in problem for problem in problems(given)), problems(given)


def test_a_schema_with_every_supported_type() -> None:
    """Nothing is wrong with it."""
    assert problems(document()) == []


def test_the_fingerprint_of_the_specification() -> None:
    """CRC-64-AVRO of "int" is what Avro's own test cases say, little endian."""
    assert bytes.fromhex(fingerprint('"int"', "CRC-64-AVRO")) == (0x7275D51A3F395C8F).to_bytes(8, "little")


def test_what_does_not_change_how_a_record_is_read_does_not_change_its_fingerprint() -> None:
    """Docs, tags and defaults are no part of the Parsing Canonical Form; names and types are."""
    plain = wide_schema().fingerprint
    assert wide_schema(doc="Other words.", business_key="Text").fingerprint == plain
    assert wide_schema(name="Wider").fingerprint != plain
    assert wide_schema(fields=changed("Whole", type=["null", "int"])["fields"]).fingerprint != plain


def test_a_logical_type_counts_as_the_type_below() -> None:
    """As the specification's PRIMITIVES and STRIP rules and Java's SchemaNormalization have it.

    Apache's Python library (1.12) writes {"type": "int"} there instead, and so finds another fingerprint.
    """
    as_int = changed("Day", type=["null", "int"])["fields"]
    assert wide_schema(fields=as_int).fingerprint == wide_schema().fingerprint


def test_our_fingerprints() -> None:
    """They are in every record ever written: a change here is a new schema, and needs a new history file."""
    assert {schema.feed: schema.fingerprint.hex() for schema in load_schemas().values()} == {
        "order": "3cfc68a3587df9fd",
        "quotation": "9dae8ad3b1deeffc",
        "workorder": "132fa691d395695e",
    }


def test_the_rows_of_the_list() -> None:
    """One row per feed, ready to print or to write as JSON."""
    rows = {(row.kind, row.feed): row for row in schema_rows(load_schemas())}
    assert rows.keys() == OURS
    order = rows["cienapps", "order"]
    assert (order.name, order.fields, order.business_key) == ("com.cienapps.sync.Order", 23, "Order_Number")
    assert len(order.fingerprint) == 16


def test_a_schema_shown_in_a_log_is_short() -> None:
    """Its fields and documents are not repeated wherever it is printed."""
    assert len(repr(wide_schema())) < 300
