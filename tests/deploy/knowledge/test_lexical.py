"""Protects coverage: what share of a question a chunk holds, by the rarity of its terms; and what is best."""

from pathlib import Path

import numpy as np
import pytest

from deploy.knowledge.lexical import LexicalIndex
from deploy.knowledge.terms import chunk_terms

TEXTS = ["C=1.0 : float\nprice of errors", "tol=0.1 : float\nwhen to stop", "the price of the stop"]
TITLES = ["svm.SVC", "svm.SVC", "np.sort"]


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    return LexicalIndex.build(TEXTS, TITLES)


def coverage(index: LexicalIndex, *asked: str) -> list[float]:
    return [float(share) for share in index.coverage(asked, np.arange(len(TEXTS)))]


def test_a_chunk_covers_a_question_of_its_own_words_whole_and_others_less(index: LexicalIndex) -> None:
    found = coverage(index, f"{TITLES[0]} {TEXTS[0]}")
    assert found[0] == pytest.approx(1.0)
    assert all(0.0 <= other < 0.7 for other in found[1:])


def test_rare_terms_count_more_than_common_ones(index: LexicalIndex) -> None:
    # One of two words each: `errors` stands in one chunk, `float` in two.
    first, second, _ = coverage(index, "errors float")
    assert first == pytest.approx(1.0)
    assert 0.0 < second < 0.5
    assert coverage(index, "errors errors float") == [first, second, 0.0]  # how often does not count


def test_what_no_chunk_holds_lowers_all(index: LexicalIndex) -> None:
    [known, *_], [unknown, *_] = coverage(index, "errors"), coverage(index, "errors gamma")
    assert (known, unknown) == (pytest.approx(1.0), pytest.approx(0.5))
    assert coverage(index, "gamma") == coverage(index, "??") == [0.0] * 3


def test_what_was_said_before_counts_as_well(index: LexicalIndex) -> None:
    followed = coverage(index, "and `tol`?", "What is C of svm.SVC?")
    assert followed == coverage(index, "What is C of svm.SVC?", "and `tol`?")
    assert 0.0 < followed[1] < coverage(index, "tol")[1]


def test_an_index_without_terms_covers_nothing() -> None:
    assert LexicalIndex.build(["  "], [""]).coverage(["what?"], np.arange(1)).tolist() == [0.0]


def test_the_terms_of_the_texts_are_those_that_count(index: LexicalIndex) -> None:
    for place, (text, title) in enumerate(zip(TEXTS, TITLES, strict=True)):
        for term in chunk_terms(text, title=title):
            if " " not in term:  # a definition is asked for by the name alone
                assert coverage(index, term)[place] > 0.0


def test_a_name_asks_for_the_document_that_bears_it() -> None:
    """That one speaks of it at length, another mentions it beside all the other words of the question."""
    texts = [
        "rtol : float\nrelative tolerance, and much more is said of it here",
        "isclose rtol",
        *"abcdefgh",
    ]
    titles = ["numpy.isclose", "scipy.optimize.ridder", *"abcdefgh"]
    index, titled = LexicalIndex.build(texts, titles), titles[0]
    assert index.scores("isclose rtol?").argmax() == 0
    as_words = LexicalIndex.build(texts, [titled.replace(".", " "), *titles[1:]])
    assert as_words.scores("isclose rtol?")[0] < index.scores("isclose rtol?")[0] - 1.0


def test_a_saved_index_scores_and_covers_as_before(index: LexicalIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "lexical")
    again = LexicalIndex.load(tmp_path / "lexical", rows=len(TEXTS))
    for file in (tmp_path / "lexical").iterdir():
        file.unlink()  # what has been read stays readable
    for asked in ("price of C", "tol stop", "nobody"):
        assert again.scores(asked).tolist() == index.scores(asked).tolist()
        assert coverage(again, asked) == coverage(index, asked)


def test_each_chunk_holds_what_its_column_says_whichever_are_asked_about() -> None:
    draw = np.random.default_rng(0)
    words = [f"{letter}x" for letter in "abcdefghij"]
    texts = [" ".join(draw.choice(words, size=4)) for _ in range(60)]
    index = LexicalIndex.build(texts, [""] * 60)
    for _ in range(20):
        chunks = np.sort(draw.choice(60, size=int(draw.integers(1, 9)), replace=False))
        for word in words:
            expected = [float(word in texts[chunk].split()) for chunk in chunks]
            assert index.coverage([word], chunks).tolist() == expected
            assert index.holders(word) == sum(word in text.split() for text in texts)


def test_the_best_have_the_highest_scores_and_none_that_says_nothing() -> None:
    scores = np.array([0.0, 3.0, 1.0, 0.0, 2.0, 3.0], dtype=np.float32)
    assert LexicalIndex.best(scores, 2).tolist() == [1, 5]
    assert LexicalIndex.best(scores, 9).tolist() == [1, 5, 4, 2]
    assert LexicalIndex.best(np.zeros(3, dtype=np.float32), 2).tolist() == []
