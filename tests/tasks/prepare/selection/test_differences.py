"""Protects what is said of a choice: quantiles and shares of both sides."""

from tasks.prepare.selection.differences import differences
from tests.tasks.rows.made import question

ROWS = [question(str(n), "Why?", "word " * n, task="short" if n < 3 else "long") for n in range(1, 5)]


def test_lengths_and_shares_are_of_all_and_of_the_chosen() -> None:
    found = {each.name: (each.of_all, each.of_chosen) for each in differences(ROWS, ROWS[2:])}
    assert found["words of the answer, median"] == (3.0, 4.0)
    assert found["task short"] == (0.5, 0.0)
    assert found["task long"] == (0.5, 1.0)
    assert "source test" not in found  # there is only one: it says nothing


def test_without_rows_there_is_nothing_to_say() -> None:
    assert list(differences(ROWS, [])) == []
