"""Protects the repair of text: damage goes, and what only looks odd stays."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.clean.repairs import REPAIRS, remove_controls, repaired

ALL = tuple(REPAIRS)


@pytest.mark.parametrize(
    ("damaged", "whole", "repairs"),
    [
        ("caf\u00c3\u00a9", "caf\u00e9", {"encoding"}),
        ("e\u0301", "\u00e9", {"compose"}),
        ("a\x00b", "ab", {"controls"}),
        ("\x1b[1;31mred\x1b[0m", "red", {"controls"}),
        ("\ufeffa\u200bb", "ab", {"controls"}),
        ("b\bbo\bo", "bo", {"controls"}),
        ("a\u200db\u200d", "ab", {"controls"}),
        ("a\u2028b\r\nc", "a\nb\nc", {"controls"}),
        ("  a  \n\n\n\nb \n", "a\n\nb", {"blanks"}),
    ],
)
def test_damage_is_repaired_and_named(damaged: str, whole: str, repairs: set[str]) -> None:
    counts: Counter[str] = Counter()
    assert repaired(damaged, ALL, counts) == whole
    assert set(counts) == repairs


@pytest.mark.parametrize(
    "text",
    [
        "It\u2019s 21 \u00b0C \u2013 na\u00efve, \u00c5ngstr\u00f6m.",
        "if x:\n\ty = '&amp;'\n        z = 1  # <b>",
        "\U0001f469\u200d\U0001f4bb",
    ],
)
def test_what_is_whole_stays(text: str) -> None:
    counts: Counter[str] = Counter()
    assert repaired(text, ALL, counts) == text
    assert not counts


MARKS = st.sampled_from("\n\t\r\b\x1b[m\u200d\u200b\u00ad\u2028\x85\ufeff")


@given(st.text(st.characters() | MARKS, max_size=30))
def test_a_text_without_marks_is_told_by_one_look_alone(text: str) -> None:
    assert remove_controls(text) == remove_controls(text + "\0"), "the look missed what the removal takes out"
