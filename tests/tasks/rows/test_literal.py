"""Protects the measures of copying: what counts as a word, and what stands literally in a text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rows.literal import literalness, longest_run, plain, words

DOCUMENT = "Books may be kept for two weeks. `sample_weight` is given to sklearn.svm.SVC; don't guess."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What's `n_jobs`?", ["whats", "n", "jobs"]),
        ("sklearn.svm.SVC, 0.5", ["sklearn", "svm", "svc", "0", "5"]),
        ("Don\u2019t \uff21SK", ["dont", "ask"]),
        ("?!", []),
    ],
)
def test_words_have_neither_case_nor_signs(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("How long may books be kept?", 2 / 3),  # long, books, kept
        ("What is the sample weight of SVC?", 1.0),
        ("What is the sample weight of SVC and of SVC, sample by sample?", 1.0),  # each word counts once
        ("For which period can I borrow a novel?", 0.0),
        ("What does it do?", 0.0),  # stop words alone
        ("", 0.0),
    ],
)
def test_literalness_is_the_share_of_content_words_that_the_document_has(question: str, share: float) -> None:
    assert literalness(question, DOCUMENT) == pytest.approx(share)


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("Books may be kept for two weeks?", 1.0),
        ("Is it so that books may be kept?", 4 / 8),
        ("kept books two may weeks for", 1 / 6),  # the words are there, but no run of them
        ("two weeks sample weight", 1.0),  # over the end of a sentence
        ("ook may", 1 / 2),  # no part of a word
        ("Novel?", 0.0),
        ("", 0.0),
    ],
)
def test_the_longest_run_is_what_was_copied(question: str, share: float) -> None:
    assert longest_run(question, DOCUMENT) == pytest.approx(share)


@given(text=st.text(st.characters(max_codepoint=127)))
def test_plain_text_has_the_words_of_any_other(text: str) -> None:
    assert words(text) == re.findall(r"[^\W_]+", plain(text))
