"""Protects the order of rows by time: each common spelling is read as what it says, and none is guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.split.times import read_time, told_time

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "told",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T14:00:00+02:00",
        "2024-05-01 07:00-05:00",
        " 2024-05-01 12:00:00 ",  # no zone is UTC
        "20240501T120000Z",
        "1714564800",
        "1714564800.0",
        "1.7145648e9",
        "1714564800000",
    ],
)
def test_one_moment_in_all_spellings(told: str) -> None:
    assert read_time(told) == NOON


def test_a_date_is_its_beginning() -> None:
    assert read_time("2024-05-01") == read_time("20240501") == NOON - 12 * 3600


@pytest.mark.parametrize(
    "told",
    ["", "soon", "01/05/2024", "2024", "5", "-1714564800", "nan", "inf", "1e300", "2024-13-01", "May 1"],
)  # fmt: skip
def test_what_is_no_time_or_could_be_two_is_none(told: str) -> None:
    assert read_time(told) is None


@given(
    moment=st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(9000, 1, 1)).map(
        lambda each: each.replace(microsecond=0)
    ),
    hours=st.integers(-12, 14),
)
def test_a_moment_is_the_same_in_every_zone_and_as_a_number(moment: datetime, hours: int) -> None:
    seconds = moment.replace(tzinfo=UTC).timestamp()
    there = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    spelled = (moment.isoformat(), there.isoformat(), str(there), str(int(seconds * 1000)))
    assert {read_time(told) for told in spelled} == {seconds}
    assert read_time(told_time(seconds)) == seconds


@given(st.text(max_size=20))
def test_no_text_ends_in_a_traceback(told: str) -> None:
    read_time(told)
