"""Counts by label and by size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.ops.series import Histogram, Tally


def test_known_values_are_zero_from_the_start() -> None:
    """A rate over a value that has not happened yet is 0 and not a hole."""
    assert list(Tally([("a",), ("b",)])) == [(("a",), 0), (("b",), 0)]


def test_values_beyond_the_cap_count_as_other() -> None:
    """Whatever is counted, the number of series stays bounded and no count is lost."""
    tally = Tally([("known",)], cap=2)
    for name in ("a", "b", "c", "d", "a", "known"):
        tally.add(name)
    assert dict(tally) == {("known",): 1, ("a",): 2, ("b",): 1, ("other",): 2}
    assert tally.total == 6


def test_other_keeps_the_leading_labels() -> None:
    """An unexpected code of a confirm counts as another code of a confirm."""
    tally = Tally([("list", "2xx")])
    tally.add("confirm", "301")
    assert dict(tally) == {("list", "2xx"): 0, ("confirm", "other"): 1}


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(1, 5)), max_size=50),
    st.lists(st.floats(0, 100), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_buckets_count_what_is_not_above_their_bound(values: list[tuple[float, int]], bounds: list[float]) -> None:
    """Counting a value n times in one go is counting it n times, in the buckets that Prometheus expects."""
    histogram = Histogram(bounds)
    for value, count in values:
        histogram.observe(value, count)
    singles = [value for value, count in values for _ in range(count)]
    expected = [(str(bound), sum(value <= bound for value in singles)) for bound in bounds]
    assert histogram.cumulative() == [*expected, ("+Inf", len(singles))]
    assert abs(histogram.sum - sum(singles)) < 1e-6
