"""Protects the choice of rows: those that are meant and no others, and words that only they have."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.forgetting.selection import Selected, Wish, found, select
from tasks.rows.identity import hidden
from tasks.rows.records import Rows
from tasks.rows.tables import write_rows
from tests.tasks.rows.made import document, pair, question

PRIVATE = "My number is 555 1234 and I live at the lake in Zurich"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Rows of two sources, of which some are a person's."""
    rows = Rows(
        examples=(
            question("a", f"{PRIVATE}, why?", source="x"),
            question("b", "How many books may be kept at home by a reader?", source="x"),
            question("c", "How many books may be kept at home by a reader?", source="y"),
            question("d", "user", source="y"),
        ),
        preferences=(pair("e", f"{PRIVATE}."),),
        documents=(document("f", f"# Loans\n\n{PRIVATE} in a house of stone.\nOther."),),
    )
    write_rows(tmp_path / "raw/rows", rows)
    return tmp_path


def chosen(data: Path, text: str = "", source: str = "", ids: tuple[str, ...] = ()) -> Selected:
    return select(data, Wish(text=text, source=source, ids=ids))


def test_a_text_means_all_rows_that_hold_it_and_all_that_is_given_counts(data: Path) -> None:
    assert {name for _, name in chosen(data, "555  1234 AND").rows} == {"a", "e", "f"}
    assert {name for _, name in chosen(data, "555 1234", source="x").rows} == {"a"}
    assert {name for _, name in chosen(data, ids=("a", "b"), source="x").rows} == {"a", "b"}
    with pytest.raises(SourceError, match="no row that the stages keep is meant"):
        chosen(data, "nobody", source="x")
    assert chosen(data, "nobody").rows == {}  # and files are searched all the same


def test_rows_are_meant_by_the_name_too_that_clean_has_given_them(data: Path) -> None:
    write_rows(data / "clean/rows", Rows.of([question(hidden("a"), "Who?"), question("g", "Who?")]))
    assert {name for _, name in chosen(data, ids=("a",)).rows} == {"a", hidden("a")}


def test_what_a_row_is_made_of_is_no_text_of_it(data: Path) -> None:
    assert {name for _, name in chosen(data, "user").rows} == {"d"}  # and not each that a user has asked


def test_words_that_other_rows_hold_too_prove_nothing(data: Path) -> None:
    both = chosen(data, ids=("a", "b"))
    # `c` says what `b` says, and `e` and `f` most of what `a` says.
    assert both.phrases == {"and i live at the lake in zurich,", "i live at the lake in zurich, why?"}
    alone = chosen(data, ids=("a", "e", "f"))
    assert "my number is 555 1234 and i live" in alone.phrases
    assert alone.holds(["Somebody said: my number is 555 1234 and I LIVE here"])
    assert not alone.holds(["How many books may be kept at home by a reader?"])


def test_phrases_are_found_as_whole_words() -> None:
    phrases = {"one two three four five"}
    assert list(found("zero one two three four five six", phrases)) == ["one two three four five"]
    assert list(found("zeroone two three four five", phrases)) == []
    assert list(found("anything", set())) == []
