"""Protects questions that are kept to some documents by their metadata: no other is found."""

import sqlite3
from pathlib import Path

import pytest

from deploy.documents.additions import FILE
from deploy.documents.live import LiveKnowledge
from deploy.documents.seen import seen_by
from deploy.documents.wanted import Wanted, check_filters, spelled_metadata
from deploy.errors import FilterError, SettingsError
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.tags import Held
from tests.deploy.documents.made import STORED, live, store, text

KILN, PRESS = {"product": "kiln"}, {"product": "press"}
DOCUMENTS = [
    text("kiln/heat", "The oven reaches nine hundred degrees.", product="kiln", year="2025"),
    text("kiln/door", "The oven is opened from the front.", product="kiln", year="2026"),
    text("press/heat", "The oven of the press is heated by steam.", product="press", year="2026"),
    *STORED,
]
FILTERS = ("product", "year")


def found(
    knowledge: LiveKnowledge | KnowledgeStore, wanted: Wanted, held: Held = None, asked: str = "the oven"
) -> set[str]:
    """The documents of what a search among the wanted finds."""
    seen = seen_by(knowledge, held, wanted)
    assert seen is not None
    [hits] = seen.search([asked])
    return {hit.document for hit in hits}


@pytest.fixture
def known(tmp_path: Path) -> LiveKnowledge:
    return live(tmp_path, DOCUMENTS, FILTERS)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"product": ["kiln"]}, {"kiln/heat", "kiln/door"}),
        ({"product": ["kiln", "press"], "year": ["2026"]}, {"kiln/door", "press/heat"}),
        ({"product": ["press"], "year": ["2025"]}, set()),
        ({"product": ["kilns"]}, set()),
    ],
)
@pytest.mark.parametrize("changing", [True, False])
def test_documents_have_one_of_the_values_of_each_name(
    known: LiveKnowledge, where: dict[str, list[str]], expected: set[str], changing: bool
) -> None:
    assert found(known if changing else known.store, Wanted(where=where)) == expected


def test_ids_and_metadata_narrow_together(known: LiveKnowledge) -> None:
    assert found(known, Wanted(beginnings=("kiln/d",), where={"product": ["kiln", "press"]})) == {"kiln/door"}


def test_what_is_added_is_found_by_what_it_says_now_and_its_file_keeps_it(
    known: LiveKnowledge, tmp_path: Path
) -> None:
    only = Wanted(where={"product": ["press"]})
    known.put(text("added", "The oven of the added page.", product="press"))
    known.put(text("kiln/heat", "The oven is a press now.", product="press"))
    again = LiveKnowledge(known.store, tmp_path / "added", chunk_words=12)
    for each in (known, again):
        assert found(each, only, asked="the oven of the added page") <= {"added", "kiln/heat", "press/heat"}
        assert "added" in found(each, only, asked="the oven of the added page")
        assert found(each, Wanted(where={"product": ["kiln"]})) == {"kiln/door"}
    known.put(text("added", "The oven of the added page."))
    assert "added" not in found(again, only, asked="the oven of the added page")
    assert known.delete("press/heat")
    assert found(again, only) == {"kiln/heat"}


def test_others_leave_their_places_to_those_that_are_wanted(tmp_path: Path) -> None:
    many = [text(f"kiln-{number}", f"The oven, page {number}.", **KILN) for number in range(30)]
    knowledge = store(tmp_path / "store", [*many, *DOCUMENTS], filters=FILTERS)
    assert found(knowledge, Wanted(where={"product": ["press"]})) == {"press/heat"}


def test_wanting_a_closed_document_does_not_open_it(tmp_path: Path) -> None:
    closed = [text("secret", "The oven is sold in May.", "board", **KILN), *DOCUMENTS]
    wanted = Wanted(where={"product": ["kiln"]})
    for knowledge in (store(tmp_path / "store", closed, filters=FILTERS), live(tmp_path, closed, FILTERS)):
        assert "secret" not in found(knowledge, wanted, [], "the oven is sold in May")
        assert "secret" in found(knowledge, wanted, ["board"], "the oven is sold in May")


def test_values_are_those_of_documents_that_are_there_and_open(tmp_path: Path) -> None:
    closed = [text("secret", "The oven is sold in May.", "board", product="lathe"), *DOCUMENTS]
    knowledge = live(tmp_path, closed, FILTERS)
    years = ["2025", "2026"]
    assert knowledge.values() == {"product": ["kiln", "lathe", "press"], "year": years}
    assert knowledge.values([]) == {"product": ["kiln", "press"], "year": years}
    knowledge.put(text("added", "The oven of the added page.", product="saw"))
    knowledge.delete("press/heat")
    knowledge.put(text("kiln/heat", "The oven is a press now."))
    assert knowledge.values([]) == {"product": ["kiln", "saw"], "year": ["2026"]}


def test_a_name_that_nothing_is_known_by_is_refused_and_not_a_search_that_finds_nothing(
    known: LiveKnowledge, tmp_path: Path
) -> None:
    with pytest.raises(FilterError, match=r"'produkt' is no metadata .* there are: product, year"):
        seen_by(known, None, Wanted(where={"produkt": ["kiln"]}))
    with pytest.raises(FilterError, match="there are none"):
        seen_by(store(tmp_path / "bare"), None, Wanted(where={"product": ["kiln"]}))
    check_filters((), ())


def test_a_store_holds_what_its_filters_name_and_nothing_else(tmp_path: Path) -> None:
    store(tmp_path / "some", DOCUMENTS, filters=("year",)).close()
    assert b"kiln/heat" in (tmp_path / "some/knowledge.sqlite").read_bytes()
    with sqlite3.connect(tmp_path / "some/knowledge.sqlite") as file:
        assert {name for (name,) in file.execute("SELECT name FROM metadata")} == {"year"}
    store(tmp_path / "none", DOCUMENTS).close()
    bare = [text(each.id, each.text) for each in DOCUMENTS]
    store(tmp_path / "bare", bare).close()
    written = [(tmp_path / name / "knowledge.sqlite").read_bytes() for name in ("none", "bare")]
    assert written[0] == written[1]


def test_a_file_of_added_documents_from_before_there_was_metadata_is_read(tmp_path: Path) -> None:
    live(tmp_path).close()
    with sqlite3.connect(tmp_path / "added" / FILE) as file:
        file.execute("DROP TABLE metadata")
    knowledge = live(tmp_path, DOCUMENTS, FILTERS)
    knowledge.put(text("added", "The oven of the added page.", **PRESS))
    assert "added" in found(knowledge, Wanted(where={"product": ["press"]}), asked="the added page")


@pytest.mark.parametrize(
    "words", [["product"], ["=kiln"], ["product="], ["pro duct=kiln"], [f"a={'b' * 301}"]]
)
def test_words_that_are_no_metadata_are_named(words: list[str]) -> None:
    with pytest.raises(SettingsError, match="it should be metadata such as product=kiln"):
        spelled_metadata(words)


def test_metadata_is_spelled_with_its_first_equals_sign() -> None:
    assert spelled_metadata(["product=kiln", "rule=a=b"]) == {"product": "kiln", "rule": "a=b"}
    with pytest.raises(SettingsError, match="product is given twice: 'kiln' and 'press'"):
        spelled_metadata(["product=kiln", "product=press"])
