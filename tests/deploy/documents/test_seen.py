"""Protects documents with tags: who holds none of them neither finds, nor lists, nor is quoted anything."""

import sqlite3
from pathlib import Path

import pytest

from deploy.documents.additions import FILE
from deploy.documents.live import LiveKnowledge
from deploy.documents.seen import Among, Seen, seen_by
from deploy.documents.wanted import Wanted
from deploy.errors import ClosedError
from tests.deploy.documents.made import STORED, live, store, text

CANARY = "The canary sings in the aquarium."


@pytest.fixture
def known(tmp_path: Path) -> LiveKnowledge:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", CANARY, "birds", "fish"))
    knowledge.put(text("open", "The canary eats seeds in the open."))
    return knowledge


def documents(knowledge: Seen | LiveKnowledge) -> set[str]:
    [hits] = knowledge.search(["canary sings aquarium"])
    return {hit.document for hit in hits}


def beginning(*names: str) -> Wanted:
    """Documents whose ids begin with one of these."""
    return Wanted(beginnings=names)


def tags_of(knowledge: LiveKnowledge, name: str = "zoo") -> tuple[str, ...]:
    """The tags of a document that was added."""
    return {document.id: document.tags for document, _ in knowledge.documents()}[name]


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
        known.put(text(f"more-{number}", f"{CANARY} {number}", "birds"))
    [hits] = Seen(known, []).search(["canary sings aquarium"])
    assert len(hits) == 2
    assert hits[0].document == "open"


def test_a_document_of_the_store_that_was_replaced_by_a_closed_one_is_not_shown_instead(
    known: LiveKnowledge,
) -> None:
    known.put(text("handbook", "Holidays are forty days a year.", "staff"))
    [hits] = Seen(known, []).search(["holidays a year"])
    assert "handbook" not in {hit.document for hit in hits}


def test_tags_are_kept_replaced_and_go_with_their_document(known: LiveKnowledge, tmp_path: Path) -> None:
    again = LiveKnowledge(known.store, tmp_path / "added", chunk_words=12)
    assert tags_of(again) == ("birds", "fish")
    known.put(text("zoo", CANARY, "mice"))
    assert tags_of(again) == ("mice",)
    known.put(text("zoo", CANARY))
    assert tags_of(again) == ()
    known.put(text("zoo", CANARY, "mice"))
    known.delete("zoo")
    known.put(text("zoo", CANARY))
    assert tags_of(again) == ()
    assert "zoo" in documents(Seen(again, []))


def test_a_file_from_before_there_were_tags_is_read(tmp_path: Path) -> None:
    live(tmp_path).close()
    with sqlite3.connect(tmp_path / "added" / FILE) as file:
        file.execute("DROP TABLE tags")
    knowledge = LiveKnowledge(store(tmp_path / "other"), tmp_path / "added", chunk_words=12)
    knowledge.put(text("zoo", CANARY, "birds"))
    assert tags_of(knowledge) == ("birds",)


def test_only_documents_that_are_asked_for_are_found_and_as_many(known: LiveKnowledge) -> None:
    for number in range(20):
        known.put(text(f"more-{number}", f"{CANARY} {number}"))
    narrowed = seen_by(known, None, beginning("zoo", "open"))
    assert isinstance(narrowed, Among)
    [hits] = narrowed.search(["canary sings aquarium"])
    assert {hit.document for hit in hits} == {"zoo", "open"}
    [hits] = narrowed.search(["canary sings aquarium"], exclude=[["zoo"]])
    assert {hit.document for hit in hits} == {"open"}
    nothing = seen_by(known, None, beginning("none of them"))
    assert nothing is not None
    assert nothing.search(["canary sings aquarium"]) == [[]]


def test_asking_for_a_closed_document_does_not_open_it(known: LiveKnowledge) -> None:
    narrowed = seen_by(known, ["mice"], beginning("zoo", "handbook"))
    assert narrowed is not None
    [hits] = narrowed.search(["canary sings aquarium"])
    assert {hit.document for hit in hits} <= {"handbook"}


def test_a_store_without_changes_is_narrowed_too(known: LiveKnowledge) -> None:
    assert "handbook" in known.store.described
    narrowed = seen_by(known.store, None, beginning("handbook"))
    assert narrowed is not None
    [hits] = narrowed.search(["holidays a year"])
    assert {hit.document for hit in hits} == {"handbook"}
    assert seen_by(known.store, None) is known.store


CLOSED = [
    text("plan", "The canary moves into the new aquarium in May.", "birds"),
    text("menu", "The canary gets seeds from the aquarium.", "fish"),
    text("open", "The canary eats seeds in the open."),
]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (None, {"plan", "menu", "open"}),
        (["birds"], {"plan", "open"}),
        (["fish"], {"menu", "open"}),
        (["birds", "fish"], {"plan", "menu", "open"}),
        (["mice"], {"open"}),
        ([], {"open"}),
    ],
)
def test_documents_of_a_bundle_are_closed_too_whether_documents_can_be_added_or_not(
    tmp_path: Path, held: list[str] | None, expected: set[str]
) -> None:
    alone = store(tmp_path / "alone", CLOSED)
    (tmp_path / "changing").mkdir()
    changing = live(tmp_path / "changing", CLOSED)
    changing.put(text("seeds", "The canary likes seeds."))
    for knowledge, more in ((alone, set[str]()), (changing, {"seeds"})):
        found: set[str] = set()
        for question in ("canary aquarium May", "canary seeds", "plan", "menu", "open canary", "likes"):
            seen = seen_by(knowledge, held)
            assert seen is not None
            [hits] = seen.search([question])
            found |= {hit.document for hit in hits}
        assert found == expected | more


def test_closed_documents_of_a_bundle_leave_their_places_to_others(tmp_path: Path) -> None:
    many = [text(f"plan-{number}", f"{CANARY} Number {number}.", "birds") for number in range(30)]
    [hits] = Seen(store(tmp_path / "store", [*many, *STORED]), []).search(["canary sings aquarium"])
    assert len(hits) == 2
    assert {hit.document for hit in hits} <= {document.id for document in STORED}


def test_what_replaces_a_closed_document_of_a_bundle_needs_a_tag_of_it_and_has_its_own(
    tmp_path: Path,
) -> None:
    knowledge = live(tmp_path, CLOSED)
    with pytest.raises(ClosedError, match="'plan'"):
        knowledge.put(text("plan", "The canary has flown."), ["fish"])
    assert not knowledge.delete("plan", ["fish"])
    assert documents(Seen(knowledge, ["birds"])) == {"plan", "open"}
    knowledge.put(text("plan", "The canary sings: it has flown."), ["birds"])
    [hits] = Seen(knowledge, []).search(["canary plan flown"])
    assert "has flown" in hits[0].text
    assert all("May" not in hit.text for hit in hits)


def test_what_was_deleted_is_nobody_s_and_does_not_come_back(tmp_path: Path) -> None:
    knowledge = live(tmp_path, CLOSED)
    assert knowledge.delete("plan", ["birds"])
    assert knowledge.put(text("plan", "A plan of the fish."), ["fish"]) == 1
    assert knowledge.delete("plan", [])
    for held in (None, [], ["birds"]):
        assert "plan" not in documents(Seen(knowledge, held))
    assert knowledge.tagged() == {"menu"}


def test_scores_of_what_is_open_do_not_depend_on_what_else_was_found(tmp_path: Path) -> None:
    """Scores are stretched over what was found: closed passages among it could be told by them."""
    near = text("plan", "Trains trains trains: booked booked by the office office.", "birds")
    far = text("plan", "Nothing of that kind at all.", "birds")
    scores = []
    for number, plan in enumerate((near, far)):
        knowledge = store(tmp_path / f"{number}", [*STORED, plan])
        [hits] = Seen(knowledge, []).search(["office"])
        scores.append([(hit.document, round(hit.score, 2)) for hit in hits])
    assert scores[0] == scores[1]


def test_asking_for_a_closed_document_of_a_bundle_does_not_open_it(tmp_path: Path) -> None:
    narrowed = seen_by(store(tmp_path / "store", CLOSED), ["fish"], beginning("plan"))
    assert narrowed is not None
    assert narrowed.search(["canary aquarium"]) == [[]]


def test_tags_of_another_process_are_heeded_from_the_next_search_on(
    known: LiveKnowledge, tmp_path: Path
) -> None:
    other = LiveKnowledge(known.store, tmp_path / "added", chunk_words=12)
    assert "open" in documents(Seen(other, []))
    known.put(text("open", "The canary eats seeds in the open.", "birds"))
    assert "open" not in documents(Seen(other, []))
    with pytest.raises(ClosedError):
        other.put(text("open", "Nothing."), [])
    assert not other.delete("open", [])
