"""Protects the count of profane words: disguises are seen through, and what only looks like one is none."""

import pytest

from tasks.prepare.signals.profanity import profane, profanities


@pytest.mark.parametrize(
    "word",
    ["bitch", "assholes!", '"bullshit."', "sh1t", "a$$hole", "fuuuck", "f.u.c.k", "bull-shit",
     "f*cked", "f**king", "motherf*cker", "b!tch", "f***", "schei\u00dfe", "cabr\u00f3n", "arschloch"],
)  # fmt: skip
def test_a_profane_word_is_one_in_its_disguises(word: str) -> None:
    assert profane(word)


@pytest.mark.parametrize(
    "word",
    ["scunthorpe", "shiitake", "class", "assess", "therapist", "$hits", "x**2", "s*t", "a*b", "f_k", "f-16",
     "hi!", "", "***", "n**2", "1.5", "shift", "retardation", "-", "bass-player", "a" * 5000, "*" * 5000,
     "f" * 5000],
)  # fmt: skip
def test_what_only_looks_like_one_is_none(word: str) -> None:
    assert not profane(word)


def test_words_and_letters_by_themselves_are_counted() -> None:
    assert profanities([*"fuck", "this", "shit", "and", *"shit"]) == 3
    assert profanities([*"abcde", "and", *"xy"]) == profanities([]) == 0
