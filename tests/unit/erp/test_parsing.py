"""What counts as a record and as its SyncID."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.erp.parsing import NO_SYNC_ID, Malformed, records_of, sync_ids_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def sync_id_of(record: str) -> int:
    text = f"[{record}]".encode()
    return sync_ids_of(text, records_of(text))[0]


@pytest.mark.parametrize(
    ("record", "sync_id"),
    [
        ('{"SyncID":11}', 11),
        ('{"SyncID":0}', 0),
        ('{"SyncID":9223372036854775807}', 2**63 - 1),
        ('{"Sync\\u0049D":7}', 7),
        ('{"SyncID":1,"SyncID":2}', 2),
        ('{"SyncID":9223372036854775808}', NO_SYNC_ID),
        ('{"SyncID":' + "9" * 5000 + "}", NO_SYNC_ID),
        ('{"SyncID":-1}', NO_SYNC_ID),
        ('{"SyncID":11.0}', NO_SYNC_ID),
        ('{"SyncID":1e1}', NO_SYNC_ID),
        ('{"SyncID":"11"}', NO_SYNC_ID),
        ('{"SyncID":true}', NO_SYNC_ID),
        ('{"SyncID":null}', NO_SYNC_ID),
        ('{"SyncID":[11]}', NO_SYNC_ID),
        ('{"syncid":11}', NO_SYNC_ID),
        ('{"a":{"SyncID":11}}', NO_SYNC_ID),
        ('{"a":[{"SyncID":11}],"SyncID":12}', 12),
        ('{"a":"{\\"SyncID\\":11}","SyncID":12}', 12),
        ("{}", NO_SYNC_ID),
    ],
)
def test_only_a_json_integer_at_the_records_own_level_is_a_sync_id(record: str, sync_id: int) -> None:
    """Strings, floats, booleans, nested ones and those beyond 63 bits are none."""
    assert sync_id_of(record) == sync_id


def test_one_unusable_sync_id_leaves_the_others_theirs() -> None:
    """Each record of a piece is judged by itself."""
    text = b'[{"SyncID":1},{"SyncID":"2"},{"SyncID":3}]'
    assert sync_ids_of(text, records_of(text)) == [1, NO_SYNC_ID, 3]


@pytest.mark.parametrize("element", ["1", "null", '"{}"', "[]", '[{"SyncID":1}]', "true"])
def test_an_element_that_is_no_object_is_no_record(element: str) -> None:
    """It is refused even between good records."""
    text = f'[{{"SyncID":1}},{element}]'.encode()
    with pytest.raises(TypeError):
        sync_ids_of(text, records_of(text))


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1},]',
        "[,]",
        '[{"a":NaN}]',
        '[{"a":01}]',
        '[{"a":1.}]',
        '[{"a":"\t"}]',
        "[{'a':1}]",
        "[{}] x",
        "[{}{}]",
        '{"a":[]}',
        "[" * 5000 + "]" * 5000,
    ],
)
def test_text_that_is_not_strict_json_is_malformed(text: str) -> None:
    """No leniency: what another parser might read otherwise is not read at all."""
    with pytest.raises(Malformed) as raised:
        records_of(text.encode())
    assert not raised.value.is_truncation


@given(
    st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=4),
    st.sampled_from(["ascii", "utf-8"]),
    st.data(),
)
def test_the_beginning_of_an_array_is_a_truncation(
    elements: list[dict[str, object]], charset: str, data: st.DataObject
) -> None:
    """Cut anywhere, a valid array is told apart from a malformed one."""
    text = json.dumps(elements, ensure_ascii=charset == "ascii").encode()
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Malformed) as raised:
        records_of(text[:cut])
    assert raised.value.is_truncation


def test_half_an_emoji_does_not_spoil_the_list() -> None:
    """JSON allows the escape of a lone surrogate; the records keep their exact bytes and their SyncIDs."""
    records = [b'{"SyncID":1,"a":"\\ud83d"}', b'{"a":"\\\\ud83d","SyncID":2}', b'{"SyncID":3,"a":"\\ud83d\\ude00"}']
    text = b"[" + b" , ".join(records) + b"]"
    assert records_of(text) == records
    assert sync_ids_of(text, records_of(text)) == [1, 2, 3]
