"""The encoder as the loop sees it."""

from __future__ import annotations

import json

import pytest

from connector.encoding.codec import SingleObjectEncoder, encoder_for
from connector.encoding.plain import PlainEncoder
from connector.encoding.reading import decode
from connector.encoding.schemas import load_schemas
from connector.errors import ConfigurationWrong
from tests.fakes.listed import DriftNotes, fixture_members, written

SCHEMAS = load_schemas()
WORK_ORDER = SCHEMAS["cienapps", "workorder"]
USUAL = fixture_members("cienapps", "workorder")


def test_a_record() -> None:
    """The identity travels unchanged; the value begins with the marker and the schema's fingerprint."""
    notification = written(USUAL)
    encoder = encoder_for("single_object", WORK_ORDER, DriftNotes())
    record = encoder.encode(notification)
    assert (record.sync_id, record.content_hash) == (notification.sync_id, notification.content_hash)
    assert record.business_key == "8812-1"
    assert record.value.startswith(b"\xc3\x01" + WORK_ORDER.fingerprint)
    assert encoder.content_type == "application/avro; encoding=single_object"


def test_an_encoding_of_a_later_release() -> None:
    """It is refused in the user's spelling."""
    with pytest.raises(ConfigurationWrong) as caught:
        encoder_for("confluent", WORK_ORDER, DriftNotes())
    (problem,) = caught.value.problems
    assert problem.startswith("value_encoding: confluent")


def test_unknown_fields_are_told_each_time() -> None:
    """Whether by the plain way at first or by the generated one later."""
    drift = DriftNotes()
    encoder = SingleObjectEncoder(WORK_ORDER, drift)
    for _ in range(3):
        encoder.encode(written(USUAL))
    assert drift.unknown == ["AncienSoumission", "WorkOrder_Close", "WorkOrder_Close_Date"] * 3


def test_fields_that_come_and_go() -> None:
    """Missing fields and extra ones are learned, and any mixture of them is encoded as the plain way does."""
    encoder = SingleObjectEncoder(WORK_ORDER, DriftNotes())
    fewer = {name: raw for name, raw in USUAL.items() if not name.startswith("Customer")}
    kinds = [USUAL, fewer, USUAL | {"Extra": '{"a": "b:c"}'}, fewer | {"Other": '"é"'}]
    for raw in kinds:
        encoder.encode(written(raw))
    for raw in [*kinds, fewer | {"Extra": "1", "Other": "2"}]:
        expected, _ = PlainEncoder(WORK_ORDER, DriftNotes()).encode(written(raw))
        assert encoder._fast(written(raw)) == expected


def test_more_unknown_names_than_are_learned() -> None:
    """A list of names without end makes the encoder slower for those, never larger, and loses nothing."""
    encoder = SingleObjectEncoder(WORK_ORDER, DriftNotes())
    for number in range(100):
        record = encoder.encode(written(USUAL | {f"Extra_{number}": str(number)}))
        assert decode(record.value, SCHEMAS)["unknown_fields"][f"Extra_{number}"] == str(number)
    assert len(encoder._layout.extra) == 64
    assert encoder._fast(written(USUAL)) is not None


@pytest.mark.parametrize("name", ['qu"ote', "back\\slash", "tab\t", "\u2028line", "", "v0", "class", "n{0}{n}"])
def test_an_unknown_name_of_any_spelling(name: str) -> None:
    """It is kept with its value, and fits into no program."""
    encoder = SingleObjectEncoder(WORK_ORDER, DriftNotes())
    for _ in range(2):
        record = encoder.encode(written(USUAL | {name: '"x"'}))
        assert decode(record.value, SCHEMAS)["unknown_fields"][name] == '"x"'


def test_the_generated_source_can_be_read() -> None:
    """It names the fields it writes."""
    text = SingleObjectEncoder(WORK_ORDER, DriftNotes()).source
    assert "# WorkOrder_Number: string" in text
    compile(text, "generated", "exec")


def test_very_long_text() -> None:
    """Longer than any table, it is written in full."""
    title = "É" * 1_000_000
    encoder = SingleObjectEncoder(WORK_ORDER, DriftNotes())
    record = encoder.encode(written(USUAL | {"WorkOrder_Workflow": json.dumps(title)}))
    assert decode(record.value, SCHEMAS)["WorkOrder_Workflow"] == title
