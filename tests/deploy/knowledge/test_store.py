"""Protects the search: the right chunk first, exclusion inside it, one truth, equal bytes, plain refusals."""

import json
import logging
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.errors import KnowledgeError
from deploy.knowledge.building import build_knowledge
from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.dense import CELLS_ABOVE
from deploy.knowledge.store import KnowledgeStore
from deploy.settings import RetrievalSettings
from tests.contents import hashes
from tests.deploy.knowledge.hashed import HashedEmbedder

SETTINGS = RetrievalSettings(top_k=3, candidates=20, dense_weight=0.5, fusion="scores")
PARAMETERS = """
C=1.0 : float
Price of C.

kernel='rbf' : str
The kernel, with C.

tol=0.001 : float
When to stop.
"""
DOCUMENTS = [
    KnowledgeDocument(id="svc", uri="py:svm.SVC", title="svm.SVC", text=f"svm.SVC(C)\n{PARAMETERS}"),
    KnowledgeDocument(id="svr", uri="py:svm.SVR", title="svm.SVR", text=f"svm.SVR(C)\n{PARAMETERS}"),
    KnowledgeDocument(id="fit", uri="py:svm.SVC.fit", title="svm.SVC.fit", text="X : array\nThe data."),
    KnowledgeDocument(id="empty", uri="py:none", title="none", text="  "),
]


def build(
    folder: Path, documents: list[KnowledgeDocument] = DOCUMENTS, *, cells_above: int = CELLS_ABOVE
) -> Path:
    chunks = list(chunk_documents(documents, max_words=6))
    build_knowledge(
        folder, documents, chunks, embedder=HashedEmbedder(), dense="sq8", cells_above=cells_above
    )
    return folder


def opened(folder: Path, settings: RetrievalSettings = SETTINGS) -> KnowledgeStore:
    return KnowledgeStore(folder, HashedEmbedder(), settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("knowledge") / "index")


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_the_chunk_of_the_named_function_and_parameter_comes_first(folder: Path, weight: float) -> None:
    store = opened(folder, SETTINGS.model_copy(update={"dense_weight": weight}))
    [hits] = store.search(["In `svm.SVR`, what is the default of `C`?"])
    assert hits[0].document == "svr"
    assert "C=1.0 :" in hits[0].text
    assert (hits[0].uri, hits[0].title) == ("py:svm.SVR", "svm.SVR")


def test_scores_fall_and_lie_between_0_and_1(folder: Path) -> None:
    for hits in opened(folder).search(["kernel of `svm.SVC`", "stop", "the data X"]):
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert all(0.0 <= score <= 1.0 for score in scores)
        assert len(hits) == SETTINGS.top_k


def test_the_coverage_of_a_hit_compares_between_questions(folder: Path) -> None:
    store = opened(folder)
    [named], [unknown], [followed] = (
        store.search([question], before=[said])
        for question, said in (
            ("`kernel` svm.SVC", ""),
            ("`gamma` of svm.NuSVC", ""),
            ("and the `kernel`?", "`C` of svm.SVC"),
        )
    )
    assert all(0.0 <= hit.coverage <= 1.0 for hits in (named, unknown, followed) for hit in hits)
    best = [max(hit.coverage for hit in hits) for hits in (named, unknown, followed)]
    assert best[0] == pytest.approx(1.0)
    assert best[1] < 0.5
    assert best[1] < best[2] < 1.0
    [hidden] = store.search(["`kernel` svm.SVC"], exclude=[["svc", "svr"]])
    assert max(hit.coverage for hit in hidden) < 0.5


def test_excluded_documents_leave_their_places_to_others(folder: Path) -> None:
    question = "In `svm.SVR`, what is the default of `C`?"
    with_all, without = opened(folder).search([question, question], exclude=[(), {"svr", "unknown"}])
    assert "svr" in {hit.document for hit in with_all}
    assert "svr" not in {hit.document for hit in without}
    assert len(without) == SETTINGS.top_k


def test_a_document_of_very_many_chunks_can_be_excluded(tmp_path: Path) -> None:
    flood = KnowledgeDocument(
        id="flood", uri="", title="svm.SVC", text="\n\n".join(["C=1.0 : float of C ok"] * 300)
    )
    store = opened(build(tmp_path / "index", [flood, *DOCUMENTS]))
    [hits] = store.search(["In `svm.SVC`, what is the default of `C`?"], exclude=[["flood"]])
    assert len(hits) == SETTINGS.top_k
    assert hits[0].document == "svc"


def test_a_question_without_any_known_word_still_finds_something(folder: Path) -> None:
    assert [len(hits) for hits in opened(folder).search(["", "??", "zzz"])] == [3, 3, 3]


def test_exclusions_must_match_the_queries(folder: Path) -> None:
    with pytest.raises(ValueError, match="2 queries, but 1 exclusions"):
        opened(folder).search(["a", "b"], exclude=[()])


@pytest.mark.parametrize("documents", [[], [DOCUMENTS[-1]]])
def test_a_store_without_chunks_finds_nothing(tmp_path: Path, documents: list[KnowledgeDocument]) -> None:
    store = opened(build(tmp_path / "index", documents))
    assert store.search(["anything"]) == [[]]
    assert store.num_chunks == 0


def test_equal_documents_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    assert hashes(build(tmp_path / "again")) == hashes(folder)


def test_a_store_in_cells_finds_what_one_without_finds(tmp_path: Path) -> None:
    draw = random.Random(0)
    words = [f"{first}{second}x" for first in "bdfgklmnpr" for second in "aeiou"]
    many = [
        KnowledgeDocument(id=f"d{at}", uri="", title=draw.choice(words), text=" ".join(draw.sample(words, 5)))
        for at in range(400)
    ]
    plain, celled = build(tmp_path / "plain", many), build(tmp_path / "cells", many, cells_above=100)
    assert hashes(plain)["knowledge.sqlite"] == hashes(celled)["knowledge.sqlite"]
    assert hashes(plain)["dense.faiss"] != hashes(celled)["dense.faiss"]
    assert hashes(build(tmp_path / "again", many, cells_above=100)) == hashes(celled)
    few = SETTINGS.model_copy(update={"candidates": 5})
    queries = [" ".join(draw.sample(words, 4)) for _ in range(50)]
    left_out = [{"d1", f"d{at}", "d399"} for at in range(50)]
    for settings in (SETTINGS, few):
        one = opened(plain, settings).search(queries, exclude=left_out)
        other = opened(celled, settings).search(queries, exclude=left_out)
        pairs = [pair for hits in zip(one, other, strict=True) for pair in zip(*hits, strict=True)]
        assert sum(a.chunk == b.chunk for a, b in pairs) >= 0.85 * len(pairs)  # codes are rounded otherwise
        assert len(pairs) == 3 * len(queries)
        found = [{hit.document for hit in hits} for hits in other]
        assert not any(documents & gone for documents, gone in zip(found, left_out, strict=True))


def test_opening_changes_nothing(folder: Path) -> None:
    before = hashes(folder)
    opened(folder).search(["kernel"])
    assert hashes(folder) == before


@pytest.mark.parametrize("damaged", ["dense.faiss", "lexical/vocab.index.json", "derived.json"])
@pytest.mark.parametrize("gone", [True, False])
def test_damaged_indexes_are_built_anew_from_the_truth(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: str, gone: bool
) -> None:
    store = build(tmp_path / "index")
    question = ["In `svm.SVC`, what is the default of `tol`?"]
    expected = opened(store).search(question)
    if gone:
        (store / damaged).unlink()
    else:
        (store / damaged).write_bytes(b"\x00" + (store / damaged).read_bytes()[1:])
    with caplog.at_level(logging.WARNING):
        assert opened(store).search(question) == expected
    assert "built anew" in caplog.text


def test_indexes_of_another_truth_are_not_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = build(tmp_path / "index")
    with sqlite3.connect(store / "knowledge.sqlite") as connection:
        connection.execute("UPDATE chunks SET text = 'svm.SVC\nsecret words'")
    connection.close()
    with caplog.at_level(logging.WARNING):
        [hits] = opened(store, SETTINGS.model_copy(update={"dense_weight": 0.0})).search(["secret"])
    assert hits[0].text.endswith("secret words")
    assert "built anew" in caplog.text


def test_another_embedder_is_refused(folder: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"made with another embedder .* run the stage `index` again"):
        KnowledgeStore(folder, HashedEmbedder("other"), SETTINGS)


def test_a_missing_or_damaged_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="is not there; run the stage `index`"):
        opened(tmp_path)
    (tmp_path / "knowledge.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(KnowledgeError, match="is damaged"):
        opened(tmp_path)


def test_two_documents_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="two documents have the id 'svc'"):
        build(tmp_path / "index", [DOCUMENTS[0], DOCUMENTS[0]])


def test_threads_find_what_one_alone_finds(folder: Path) -> None:
    store = opened(folder)
    questions = [
        f"default of `{name}` in `svm.{owner}`" for name in ("C", "tol") for owner in ("SVC", "SVR")
    ] * 10
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda q: store.search([q])[0], questions)) == store.search(questions)


def test_nothing_in_the_store_can_run_code(folder: Path) -> None:
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {
        ".sqlite",
        ".faiss",
        ".npy",
        ".json",
    }
    assert json.loads((folder / "derived.json").read_text())["truth"] == hashes(folder)["knowledge.sqlite"]
    for path in folder.rglob("*.npy"):
        assert b"'|O'" not in path.read_bytes()[:128]


@pytest.mark.parametrize("name", ["SVC", "SVR"])
def test_a_follow_up_is_found_by_what_was_said_before(folder: Path, name: str) -> None:
    store = opened(folder)
    said = f"What is the default of C in svm.{name}?"
    [[found, *_]] = store.search(["and the kernel?"], before=[said])
    assert found.title == f"svm.{name}"
    assert "kernel" in found.text
    # What is asked counts more than what was said.
    [[own, *_]] = store.search(["the data X of svm.SVC.fit"], before=[said])
    assert own.document == "fit"
    with pytest.raises(ValueError, match="1 queries, but 0 earlier turns"):
        store.search(["a"], before=[])
