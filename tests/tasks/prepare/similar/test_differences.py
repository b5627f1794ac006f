"""Protects rows with nearly the same words from being taken for the same: a name or a `not` is enough."""

import pytest

from tasks.prepare.similar.differences import told_apart, wording

FRAME = "When the job has run for a while, what happens to {} in the end?"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the 3 files", "the 4 files"),
        ("the 3 files of 4", "the 4 files of 3"),
        ("`C` and this", "`c` and this"),
        ("`C` and this", "`gamma` and this"),
        ("n_jobs", "n_iter"),
        ("np.sum", "np.prod"),
        ("a DataFrame", "a dataSet"),
        ("the files of Anna", "the files of Bert"),
        ("the .env file", "the env file"),
        ("what is kept", "what is not kept"),
        ("what is kept", "what isn't kept"),
        ("rows with a < b", "rows with a > b"),
        ("it with -v", "it with -q"),
        ("code ```rm a``` here", "code ```rm b``` here"),
        ("C", "C++"),
    ],
)
def test_a_number_a_name_code_or_a_negation_tells_apart(one: str, other: str) -> None:
    assert told_apart(FRAME.format(one), FRAME.format(other))
    assert told_apart(FRAME.format(other), FRAME.format(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The files are here.", "the files are, well, here!"),
        ("the small files", "the large files"),
        ("files of Anna", "files of anna"),
        ("Please run np.sum now", "run np.sum now, please"),
        ("How's it?", "how's it"),
        ("Is it? Then go on.", "is it, then go on"),
    ],
)
def test_other_words_do_not(one: str, other: str) -> None:
    assert not told_apart(one, other)


def test_the_wording_is_the_words_and_the_signs_that_say_something() -> None:
    assert wording("What is it, then?") == wording("what is it then") == ("what", "is", "it", "then")
    assert wording("a<b") != wording("a>b")
    assert wording("`f(x)`") != wording("`f(x,)`")
    assert wording("`M`") != wording("`m`")
    assert wording("?!") == ()
