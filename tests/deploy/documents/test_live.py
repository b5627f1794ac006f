"""Protects live knowledge: what is added is found at once, what is deleted never again, anywhere."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.documents.additions import FILE, Additions
from deploy.documents.fresh import FreshIndex
from deploy.documents.live import LiveKnowledge
from deploy.errors import KnowledgeError
from deploy.knowledge.chunking import KnowledgeDocument
from tests.contents import remains
from tests.deploy.documents import made
from tests.deploy.documents.made import STORED, found, live, store, text
from tests.deploy.knowledge.hashed import HashedEmbedder

CANARY = "canary-7431 sings in the aquarium"


def test_without_additions_a_search_is_the_stores(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    queries = ["holidays a year", "default of C in svm.SVC"]
    assert knowledge.search(queries) == knowledge.store.search(queries)
    assert knowledge.documents() == []


def test_what_is_added_is_found_by_the_next_search_and_cited_with_its_source(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    assert "zoo" not in found(knowledge, "where does the canary sing")
    assert knowledge.put(text("zoo", CANARY)) == 1
    [hits] = knowledge.search(["where does the canary sing"])
    assert (hits[0].document, hits[0].uri, hits[0].title) == ("zoo", "file:zoo", "zoo")
    assert hits[0].text == f"zoo\n{CANARY}"
    assert [(document.id, chunks) for document, chunks in knowledge.documents()] == [("zoo", 1)]
    assert found(knowledge, "holidays a year")[0] == "handbook"


def test_what_is_deleted_is_gone_from_the_search_the_file_and_its_log(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", CANARY))
    knowledge.put(text("other", "Something else about the aquarium."))
    assert remains(tmp_path, "canary-7431")
    assert knowledge.delete("zoo")
    assert "zoo" not in found(knowledge, "where does the canary sing")
    assert remains(tmp_path, "canary-7431") == []
    assert not knowledge.delete("zoo")
    knowledge.close()
    assert remains(tmp_path, "canary-7431") == []
    again = live(tmp_path)
    assert "zoo" not in found(again, "where does the canary sing")
    assert found(again, "something about the aquarium")[0] == "other"


def test_a_replaced_text_is_found_no_more(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", CANARY))
    knowledge.put(text("zoo", "The parrot is silent."))
    [hits] = knowledge.search(["canary aquarium parrot"])
    assert [hit.text for hit in hits if hit.document == "zoo"] == ["zoo\nThe parrot is silent."]
    assert remains(tmp_path, "canary-7431") == []


def test_a_document_of_the_store_can_be_replaced_and_deleted_and_does_not_come_back(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("handbook", "Holidays are forty days a year."))
    [hits] = knowledge.search(["how many days of holidays a year"])
    assert [hit.text for hit in hits if hit.document == "handbook"] == [
        "handbook\nHolidays are forty days a year."
    ]
    assert knowledge.delete("handbook")
    assert "handbook" not in found(knowledge, "how many days of holidays a year")
    knowledge.close()
    assert "handbook" not in found(live(tmp_path), "how many days of holidays a year")
    assert knowledge.store.num_documents == len(STORED)


def test_another_process_sees_each_change(tmp_path: Path) -> None:
    one, other = live(tmp_path), live(tmp_path)
    one.put(text("zoo", CANARY))
    assert found(other, "where does the canary sing")[0] == "zoo"
    other.delete("zoo")
    assert "zoo" not in found(one, "where does the canary sing")
    assert one.documents() == other.documents() == []


def test_another_embedder_makes_its_own_vectors_and_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(tmp_path).put(text("zoo", CANARY))
    calls: list[int] = []
    plain = HashedEmbedder.embed_texts

    def counted(self: HashedEmbedder, texts: list[str], **named: object) -> object:
        calls.append(len(texts))
        return plain(self, texts, **named)  # type: ignore[arg-type]

    other = store(tmp_path / "other", embedder=HashedEmbedder("other", dimensions=16))
    monkeypatch.setattr(HashedEmbedder, "embed_texts", counted)
    knowledge = LiveKnowledge(other, tmp_path / "added", chunk_words=made.WORDS)
    assert calls == [2]
    assert found(knowledge, "where does the canary sing")[0] == "zoo"
    calls.clear()
    LiveKnowledge(other, tmp_path / "added", chunk_words=made.WORDS)
    assert calls == []


def test_excluded_documents_are_left_out_among_the_added_as_well(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", CANARY))
    [hits] = knowledge.search(["canary aquarium"], exclude=[{"zoo", "travel"}])
    assert hits
    assert not {"zoo", "travel"} & {hit.document for hit in hits}


def test_what_was_said_before_counts_for_added_passages(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("zoo", "The canary eats seeds.\n\n" + "Nothing else. " * 20))
    knowledge.put(text("farm", "The cow eats grass."))
    [hits] = knowledge.search(["what does it eat"], before=["tell me of the cow on the farm"])
    assert hits[0].document == "farm"


def test_what_cannot_be_added_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = live(tmp_path)
    with pytest.raises(KnowledgeError, match="the document blank has no words"):
        knowledge.put(text("blank", " \n "))
    monkeypatch.setattr("deploy.documents.live.MOST_CHUNKS", 2)
    knowledge.put(text("zoo", "word " * 20))
    with pytest.raises(KnowledgeError, match="more has 1 passages, and there is no room for them: at most 2"):
        knowledge.put(text("more", "word"))
    assert knowledge.put(text("zoo", "a " * 20)) == 2


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "added").mkdir()
    (tmp_path / "added/documents.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(KnowledgeError, match=r"documents\.sqlite cannot be read .*delete it"):
        live(tmp_path)


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


def test_equal_passages_come_in_one_order_whenever_they_came(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    for name in ("d4", "d1", "d3", "d0", "d2"):
        knowledge.put(replace(text(name, CANARY), title=""))
    expected = found(knowledge, "canary sings in the aquarium")
    assert expected[0] == "d0"
    knowledge.close()
    assert found(live(tmp_path), "canary sings in the aquarium") == expected


NAMES = st.sampled_from([f"doc{n}" for n in range(5)] + ["handbook", "travel"])
CHANGES = st.lists(st.tuples(st.sampled_from(["put", "delete", "reopen"]), NAMES), max_size=12)


@pytest.fixture(params=[2, 1000])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.documents.fresh.AT_ONCE", request.param)


@pytest.mark.usefixtures("at_once")
@given(changes=CHANGES)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changes_leave_what_they_say(changes: list[tuple[str, str]], tmp_path: Path) -> None:
    place = tmp_path / str(len(list(tmp_path.iterdir())))
    place.mkdir()
    knowledge = live(place)
    expected = {document.id: document.text for document in STORED}
    for number, (change, name) in enumerate(changes):
        if change == "put":
            expected[name] = f"unique{number} words of {name}"
            knowledge.put(text(name, expected[name]))
        elif change == "delete":
            assert knowledge.delete(name) == (name in expected)
            expected.pop(name, None)
        else:
            knowledge.close()
            knowledge = live(place)
    for name, words in expected.items():
        [hits] = knowledge.search([f"{name} {words}"])
        assert hits[0].document == name
        assert " ".join(hits[0].text.split()[1:]) in " ".join(words.split())
    [every] = knowledge.search(["unique words of doc handbook travel office"])
    assert {hit.document for hit in every} <= expected.keys()


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
