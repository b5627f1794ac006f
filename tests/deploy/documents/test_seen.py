"""Protects documents with tags: who holds none of them neither finds, nor lists, nor is quoted anything."""

import sqlite3
from pathlib import Path

import pytest

from deploy.documents.additions import FILE
from deploy.documents.live import LiveKnowledge
from deploy.documents.seen import Among, Seen, seen_by
from tests.deploy.documents.made import live, store, text

CANARY = "The canary sings in the aquarium."


@pytest.fixture
def known(tmp_path: Path) -> LiveKnowledge:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", CANARY), tags=["birds", "fish"])
    knowledge.put(text("open", "The canary eats seeds in the open."))
    return knowledge


def documents(knowledge: Seen | LiveKnowledge) -> set[str]:
    [hits] = knowledge.search(["canary sings aquarium"])
    return {hit.document for hit in hits}


@pytest.mark.parametrize(
    ("held", "found"),
    [(None, True), (["birds"], True), (["fish", "mice"], True), (["mice"], False), ([], False)],
)
def test_one_tag_is_enough_and_none_is_not(known: LiveKnowledge, held: list[str] | None, found: bool) -> None:
    seen = seen_by(known, held)
    assert isinstance(seen, LiveKnowledge if held is None else Seen)
    assert ("zoo" in documents(seen)) == found
    assert "open" in documents(seen)
    assert ("zoo" in {document.id for document, _ in known.documents(held)}) == found


def test_what_is_closed_gives_its_place_to_what_is_open(known: LiveKnowledge) -> None:
    for number in range(20):
        known.put(text(f"more-{number}", f"{CANARY} {number}"), tags=["birds"])
    [hits] = Seen(known, []).search(["canary sings aquarium"])
    assert len(hits) == 2
    assert hits[0].document == "open"


def test_a_document_of_the_store_that_was_replaced_by_a_closed_one_is_not_shown_instead(
    known: LiveKnowledge,
) -> None:
    known.put(text("handbook", "Holidays are forty days a year."), tags=["staff"])
    [hits] = Seen(known, []).search(["holidays a year"])
    assert "handbook" not in {hit.document for hit in hits}


def test_tags_are_kept_replaced_and_go_with_their_document(known: LiveKnowledge, tmp_path: Path) -> None:
    again = LiveKnowledge(known.store, tmp_path / "added", chunk_words=12)
    assert again.tags()["zoo"] == {"birds", "fish"}
    known.put(text("zoo", CANARY), tags=["mice"])
    assert again.tags()["zoo"] == {"mice"}
    known.put(text("zoo", CANARY))
    assert "zoo" not in again.tags()
    known.put(text("zoo", CANARY), tags=["mice"])
    known.delete("zoo")
    known.put(text("zoo", CANARY))
    assert "zoo" not in again.tags()
    assert "zoo" in documents(Seen(again, []))


def test_a_file_from_before_there_were_tags_is_read(tmp_path: Path) -> None:
    live(tmp_path).close()
    with sqlite3.connect(tmp_path / "added" / FILE) as file:
        file.execute("DROP TABLE tags")
    knowledge = LiveKnowledge(store(tmp_path / "other"), tmp_path / "added", chunk_words=12)
    knowledge.put(text("zoo", CANARY), tags=["birds"])
    assert knowledge.tags()["zoo"] == {"birds"}


def test_only_documents_that_are_asked_for_are_found_and_as_many(known: LiveKnowledge) -> None:
    for number in range(20):
        known.put(text(f"more-{number}", f"{CANARY} {number}"))
    narrowed = seen_by(known, None, ["zoo", "open"])
    assert isinstance(narrowed, Among)
    [hits] = narrowed.search(["canary sings aquarium"])
    assert {hit.document for hit in hits} == {"zoo", "open"}
    [hits] = narrowed.search(["canary sings aquarium"], exclude=[["zoo"]])
    assert {hit.document for hit in hits} == {"open"}
    nothing = seen_by(known, None, ["none of them"])
    assert nothing is not None
    assert nothing.search(["canary sings aquarium"]) == [[]]


def test_asking_for_a_closed_document_does_not_open_it(known: LiveKnowledge) -> None:
    narrowed = seen_by(known, ["mice"], ["zoo", "handbook"])
    assert narrowed is not None
    [hits] = narrowed.search(["canary sings aquarium"])
    assert {hit.document for hit in hits} <= {"handbook"}


def test_a_store_without_changes_is_narrowed_too(known: LiveKnowledge) -> None:
    names = known.store.names()
    assert "handbook" in names
    narrowed = seen_by(known.store, None, ["handbook"])
    assert narrowed is not None
    [hits] = narrowed.search(["holidays a year"])
    assert {hit.document for hit in hits} == {"handbook"}
    assert seen_by(known.store, None) is known.store
