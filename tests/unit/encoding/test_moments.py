"""Dates and times of the ERP, and texts that are none."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.encoding import binary, moments
from connector.encoding.fields import Unfit

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@given(st.dates())
def test_any_day_in_both_spellings(day: dt.date) -> None:
    """With dashes and without, the days are counted from 1970."""
    expected = (day - EPOCH.date()).days
    assert moments.days(day.isoformat()) == expected
    assert moments.days(day.isoformat().replace("-", "")) == expected


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_any_time_in_the_documented_spelling(moment: dt.datetime) -> None:
    """Milliseconds, exactly; no float comes between."""
    text = moment.replace(tzinfo=None).isoformat(" ", "milliseconds")
    assert moments.milliseconds(text) == (moment - EPOCH) // dt.timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "00000101",
        "2023-00-10",
        "20230229",
        "2023-1-1",
        "202311",
        "2023/11/03",
        " 20231103",
        "20231103\n",
        "2023-1103",
        "202311-03",
        "\uff12\uff10\uff12\uff131103",
        "20231103T000000",
        "10000-01-01",
    ],
)
def test_a_text_that_is_no_day(text: str) -> None:
    """It is refused as a whole; no part of it is taken."""
    with pytest.raises(Unfit):
        moments.days(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-11-03",
        "20231103 00:00:00",
        "2023-11-03 24:00:00",
        "2023-11-03 00:60:00",
        "2023-11-03 00:00:60",
        "0000-01-01 00:00:00",
        "2023-02-30 00:00:00",
        "2023-11-03 00:00",
        "2023-11-03 00:00:00.",
        "2023-11-03 00:00:00z",
        "2023-11-03  00:00:00",
        "2023-11-03 00:00:00.0001",
        "2023-11-03 00:00:00+00:00",
        "2023-11-03 00:00:00 ",
    ],
)
def test_a_text_that_is_no_time(text: str) -> None:
    """It is refused as a whole, and so is a time more exact than its field."""
    with pytest.raises(Unfit):
        moments.milliseconds(text)


def test_more_texts_than_are_remembered() -> None:
    """What was worked out before is bounded, and forgetting changes no answer."""
    known = moments.Moments(int)
    values = [known[str(number)] for number in range(moments._CAPACITY + 10)]
    assert len(known) <= moments._CAPACITY
    assert values == [binary.PRESENT + binary.long(number) for number in range(moments._CAPACITY + 10)]
    assert known[None] == binary.NULL


@pytest.mark.parametrize("value", [1, True, 20231103])
def test_what_is_no_text(value: object) -> None:
    """A number is no date, whatever it looks like."""
    with pytest.raises(Unfit):
        moments.DATES[value]
