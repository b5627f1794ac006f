"""Protects numbers as people read them."""

from tasks.pages.numbers import decimals, milliseconds, percent


def test_numbers_for_people() -> None:
    assert [percent(None), percent(0.005), percent(1.0)] == ["\u2013", "0 %", "100 %"]
    assert [milliseconds(None), milliseconds(12.4), milliseconds(1500)] == ["\u2013", "12 ms", "1.50 s"]
    assert [decimals(None), decimals(0.97), decimals(1)] == ["\u2013", "0.970", "1.000"]
