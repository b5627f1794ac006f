"""Protects the measures of repetition."""

import pytest

from tasks.prepare.signals.ngrams import duplicate_lines, duplicate_ngrams, top_ngram


@pytest.mark.parametrize("measure", [duplicate_lines, duplicate_ngrams, top_ngram])
def test_a_short_text_repeats_nothing(measure: object) -> None:
    assert callable(measure)
    assert measure([]) == 0.0
    assert measure(["one"]) == 0.0


def test_a_loop_is_nearly_all_repetition() -> None:
    words = ["no"] * 100
    assert duplicate_ngrams(words) == pytest.approx(0.99)
    assert top_ngram(words) == 1.0  # runs overlap, a share does not pass 1
    assert duplicate_lines(words) == pytest.approx(0.99)


def test_the_first_time_is_no_repetition() -> None:
    assert duplicate_lines(["abc", "abc", "d"]) == pytest.approx(3 / 7)
    assert duplicate_ngrams(list("abcdefgh")) == 0.0
    assert top_ngram(list("abcdefgh")) == 0.0


def test_the_longest_of_what_is_met_most_counts() -> None:
    assert top_ngram(["x", "one", "two", "x", "one", "two", "y", "z"]) == pytest.approx(14 / 16)
