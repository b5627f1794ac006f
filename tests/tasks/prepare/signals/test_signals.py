"""Protects what each signal says of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.signals import SIGNALS, signals

CODE = "for x in y:\n\tprint(x)\n"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("characters", "It is.", 6.0),
        ("words", "It is  one.\n", 3.0),
        ("lines", "a\n\n b \n", 2.0),
        ("mean_word_length", "It is one.", 8 / 3),
        ("alphabetic_share", "a 1 b2 --", 0.5),
        ("digit_share", "a1 b2", 0.5),
        ("symbol_share", "a+ b-", 0.5),
        ("capital_share", "AB cd", 0.5),
        ("stop_word_share", "It's the (default) of C.", 3 / 5),
        ("type_token_ratio", "a A b b", 0.5),
        ("ended_lines", "It is.\nand\nwhat?\n", 2 / 3),
        ("short_lines", f"short\n{'x' * 30}", 0.5),
        ("bullet_lines", "- a\n1. b\nc\n* d", 0.75),
        ("ellipsis_lines", "a...\nb\u2026\nc.", 2 / 3),
        ("duplicate_lines", "ab\nab\nc", 2 / 5),
        ("top_ngram", "a b a b c", 4 / 5),
        ("duplicate_ngrams", "a b c d e x a b c d e", 5 / 11),
        ("profanities", "What the FUCK, s h i t! Pass the class in Scunthorpe.", 2.0),
    ],
)
def test_a_signal_says(name: str, text: str, value: float) -> None:
    assert signals(text)[name] == pytest.approx(value, abs=1e-4)


def test_each_signal_is_tested_above() -> None:
    marks = test_a_signal_says.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == set(SIGNALS)


def test_code_is_measured_as_text_is() -> None:
    assert signals(CODE)["lines"] == 2.0


@given(st.text(max_size=300))
def test_any_text_has_all_signals_and_shares_are_shares(text: str) -> None:
    found = signals(text)
    assert found.keys() == SIGNALS.keys()
    counts = {"characters", "words", "lines", "mean_word_length", "profanities"}
    assert all(0.0 <= value <= 1.0 for name, value in found.items() if name not in counts)


@given(st.text(st.characters(max_codepoint=127) | st.sampled_from("\u00e9\u00df"), max_size=60))
def test_characters_are_counted_by_kind_in_any_script(text: str) -> None:
    marks, found, words = "".join(text.split()), signals(text), text.lower().split()
    shares = {
        "digit_share": sum(map(str.isdigit, marks)),
        "capital_share": sum(map(str.isupper, marks)),
        "symbol_share": sum(not mark.isalnum() for mark in marks),
    }
    for name, number in shares.items():
        assert found[name] == round(number / len(marks) if marks else 0.0, 4)
    lettered = sum(any(map(str.isalpha, word)) for word in words)
    assert found["alphabetic_share"] == round(lettered / len(words) if words else 0.0, 4)


def test_nothing_says_nothing() -> None:
    assert set(signals("").values()) == {0.0}
