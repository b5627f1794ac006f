"""Protects live knowledge: what is added is found at once, what is deleted never again, anywhere."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.documents.live import LiveKnowledge
from deploy.errors import KnowledgeError
from tests.contents import remains
from tests.deploy.documents import made
from tests.deploy.documents.made import CANARY, STORED, found, live, store, text
from tests.deploy.knowledge.hashed import HashedEmbedder

NAMES = st.sampled_from([f"doc{n}" for n in range(5)] + ["handbook", "travel"])
CHANGES = st.lists(st.tuples(st.sampled_from(["put", "delete", "reopen"]), NAMES), max_size=12)


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


def test_a_replaced_document_of_the_store_goes_with_what_replaced_it_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = live(tmp_path)
    knowledge.put(text("handbook", "Holidays are forty days a year."))
    changing, changes = knowledge._additions._file.changing, []

    @contextmanager
    def once() -> Iterator[Any]:
        if changes:
            raise KnowledgeError("killed")
        changes.append(1)
        with changing() as connection:
            yield connection

    monkeypatch.setattr(knowledge._additions._file, "changing", once)
    with suppress(KnowledgeError):
        knowledge.delete("handbook")
    monkeypatch.undo()
    knowledge.close()
    assert "handbook" not in found(live(tmp_path), "how many days of holidays a year")


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


def test_what_is_added_together_is_what_is_added_one_by_one(tmp_path: Path) -> None:
    documents = [text("zoo", CANARY), text("farm", "The cow eats grass. " * 9), text("zoo", "A parrot.")]
    for folder in ("together", "apart"):
        (tmp_path / folder).mkdir()
    together, apart = live(tmp_path / "together"), live(tmp_path / "apart")
    assert together.put_all(documents) == [apart.put(document) for document in documents] == [1, 3, 1]
    assert together.put_all([]) == []
    assert together.documents() == apart.documents()
    query = ["what does the cow eat beside the parrot"]
    assert together.search(query) == apart.search(query)
    together.close()
    assert live(tmp_path / "together").search(query) == apart.search(query)


def test_of_documents_of_which_one_has_no_room_none_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = live(tmp_path)
    monkeypatch.setattr("deploy.documents.live.MOST_CHUNKS", 2)
    with pytest.raises(KnowledgeError, match="cow has 1 passages, and there is no room"):
        knowledge.put_all([text(name, CANARY) for name in ("zoo", "farm", "cow", "barn")])
    assert not knowledge.documents()
    again = [text("zoo", words) for words in ("one", "two", "three")]  # each replaces the one before
    assert knowledge.put_all([*again, text("farm", "four")]) == [1, 1, 1, 1]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "added").mkdir()
    (tmp_path / "added/documents.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(KnowledgeError, match=r"documents\.sqlite cannot be read .*delete it"):
        live(tmp_path)


def test_equal_passages_come_in_one_order_whenever_they_came(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    for name in ("d4", "d1", "d3", "d0", "d2"):
        knowledge.put(replace(text(name, CANARY), title=""))
    expected = found(knowledge, "canary sings in the aquarium")
    assert expected[0] == "d0"
    knowledge.close()
    assert found(live(tmp_path), "canary sings in the aquarium") == expected


@pytest.fixture(params=[2, 1000])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.documents.fresh.AT_ONCE", request.param)


@pytest.mark.usefixtures("at_once")
@given(changes=CHANGES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
