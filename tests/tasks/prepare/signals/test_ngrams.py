"""Protects the measures of repetition."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.signals import ngrams
from tasks.prepare.signals.ngrams import Runs, duplicate_lines


def duplicate_ngrams(words: Sequence[str]) -> float:
    return ngrams.duplicate_ngrams(Runs(words))


def top_ngram(words: Sequence[str]) -> float:
    return ngrams.top_ngram(Runs(words))


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


WORDS = st.lists(st.sampled_from(["a", "b", "no", "yes", "never"]), max_size=30)


@given(words=WORDS)
def test_runs_are_weighed_as_if_each_were_looked_at(words: Sequence[str]) -> None:
    whole = sum(map(len, words))
    tops = [0.0]
    for size in (2, 3, 4):
        met = Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))
        if met:
            run, count = max(met.items(), key=lambda item: (item[1] * len("".join(item[0])), item[0]))
            tops.append(min(1.0, count * len("".join(run)) / whole) if count > 1 else 0.0)
    assert top_ngram(words) == max(tops)
    fives = [tuple(words[start : start + 5]) for start in range(len(words) - 4)]
    again = {at + step for at, run in enumerate(fives) if run in fives[:at] for step in range(5)}
    assert duplicate_ngrams(words) == (sum(len(words[at]) for at in again) / whole if whole else 0.0)
