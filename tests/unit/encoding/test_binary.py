"""The bytes of numbers, strings and blocks are fastavro's."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.encoding import binary

EDGES = [0, -1, 63, 64, -64, -65, 8191, 8192, (1 << 26) - 1, 1 << 26, (1 << 63) - 1, -(1 << 63)]


def reference(schema: Any, value: object) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


@pytest.mark.parametrize("number", EDGES)
def test_a_number_at_an_edge_of_the_tables(number: int) -> None:
    """Where one way of writing a number ends and the next begins, nothing differs."""
    assert binary.long(number) == reference("long", number)


@given(st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 1 << 27))
def test_any_number(number: int) -> None:
    """Every number of 64 bits is written as fastavro writes it."""
    assert binary.long(number) == reference("long", number)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text(text: str) -> None:
    """The length counts bytes, not characters."""
    assert binary.string(text) == reference("string", text)


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=200))
def test_any_list(numbers: list[int]) -> None:
    """One block and the end; an empty list is the end alone."""
    assert binary.longs(numbers) == reference({"type": "array", "items": "long"}, numbers)


@pytest.mark.parametrize("size", [0, 63, 64, 4095])
def test_a_size_out_of_the_table(size: int) -> None:
    """What stands before a string is the same whether looked up or worked out."""
    assert binary.SIZES[size] + b"x" * size == reference("string", "x" * size)
    assert binary.PRESENT_SIZES[size] + b"x" * size == reference(["null", "string"], "x" * size)
