"""Protects live knowledge beside other work: processes see each other's changes; nothing waits or tears."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.documents.additions import FILE, Additions
from deploy.documents.fresh import FreshIndex
from deploy.documents.live import LiveKnowledge
from deploy.knowledge.chunking import KnowledgeDocument
from tests.contents import remains
from tests.deploy.documents.made import CANARY, found, live, text


def test_another_process_sees_each_change(tmp_path: Path) -> None:
    one, other = live(tmp_path), live(tmp_path)
    one.put(text("zoo", CANARY))
    assert found(other, "where does the canary sing")[0] == "zoo"
    other.delete("zoo")
    assert "zoo" not in found(one, "where does the canary sing")
    assert one.documents() == other.documents() == []


def test_a_change_reads_no_other_document_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = live(tmp_path), live(tmp_path)
    for number in range(8):
        one.put(text(f"d{number}", f"Number {number} of the aquarium."))
    assert len(other.documents()) == 8
    read: list[str] = []
    plain = Additions.document

    def told(self: Additions, name: str) -> KnowledgeDocument | None:
        read.append(name)
        return plain(self, name)

    monkeypatch.setattr(Additions, "document", told)
    one.put(text("d3", CANARY))
    one.delete("d5")
    assert read == []
    assert found(other, "where does the canary sing")[0] == "d3"
    assert "d5" not in {document.id for document, _ in other.documents()}
    assert read == ["d3"]  # the other process reads what has changed
    other.put(text("d6", "The parrot."))
    one.put(text("d7", "The penguin."))
    assert read == ["d3", "d6"]
    assert found(one, "parrot")[0] == "d6"
    assert one.documents() == other.documents()


def settled(knowledge: LiveKnowledge) -> bool:
    """Wait until nothing is laid out any more; whether that is so."""
    if knowledge._compacting:
        knowledge._compacting.join(timeout=30.0)
    return not knowledge._view.index.is_scattered


def test_neither_search_nor_change_waits_while_passages_are_laid_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.documents.fresh.AT_ONCE", 2)
    begun, go_on = threading.Event(), threading.Event()
    plain = FreshIndex.compacted

    def slow(self: FreshIndex) -> FreshIndex:
        compacted = plain(self)
        begun.set()
        assert go_on.wait(30.0)
        return compacted

    monkeypatch.setattr(FreshIndex, "compacted", slow)
    knowledge = live(tmp_path)
    for number in range(8):
        knowledge.put(text(f"d{number}", f"The penguin {number} of the aquarium."))
    assert begun.wait(30.0)
    # All of this happens while it is being laid out.
    knowledge.put(text("zoo", CANARY))
    knowledge.put(text("d1", "The parrot is silent."))
    assert knowledge.delete("d2")
    expected = [found(knowledge, query) for query in ("canary sings", "parrot silent", "penguin 2 aquarium")]
    assert [names[0] for names in expected[:2]] == ["zoo", "d1"]
    assert "d2" not in expected[2]
    go_on.set()
    assert settled(knowledge)
    assert [
        found(knowledge, query) for query in ("canary sings", "parrot silent", "penguin 2 aquarium")
    ] == expected
    assert remains(tmp_path, "penguin 2") == []
    knowledge.close()


def test_it_can_be_closed_while_passages_are_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.documents.fresh.AT_ONCE", 2)
    knowledge = live(tmp_path)
    for number in range(40):
        knowledge.put(text(f"d{number}", f"The penguin {number} of the aquarium."))
    knowledge.close()
    assert found(live(tmp_path), "penguin 17")[0] == "d17"


def test_a_file_from_before_there_were_stamps_is_read_and_followed(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", CANARY))
    knowledge.close()
    with sqlite3.connect(tmp_path / "added" / FILE) as file:
        file.execute("DROP TABLE stamps")
    again = live(tmp_path)
    assert found(again, "where does the canary sing")[0] == "zoo"
    with sqlite3.connect(tmp_path / "added" / FILE) as file:  # as a threeply that knows of no stamps does
        file.execute("PRAGMA foreign_keys=ON")
        file.execute("UPDATE documents SET text = 'The parrot is silent.'")
    [hits] = again.search(["parrot silent"])
    assert hits[0].text == "zoo\nThe parrot is silent."


def test_searches_beside_changes_never_meet_half_of_one(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    valid = {f"zoo\ncanary number {n}" for n in range(60)}

    def change() -> None:
        for number in range(60):
            knowledge.put(text("zoo", f"canary number {number}"))
            if number % 3 == 0:
                knowledge.delete("zoo")

    def search() -> list[str]:
        return [
            hit.text
            for _ in range(60)
            for hit in knowledge.search(["canary number"])[0]
            if hit.document == "zoo"
        ]

    with ThreadPoolExecutor(4) as pool:
        changing = pool.submit(change)
        searching = [pool.submit(search) for _ in range(3)]
        changing.result()
        assert {words for each in searching for words in each.result()} <= valid
    assert found(knowledge, "canary number")[0] == "zoo"
