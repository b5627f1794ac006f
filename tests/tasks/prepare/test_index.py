"""Protects the stage `index`: every document is accounted for, cuts are counted, a killed run goes on."""

from pathlib import Path

import numpy as np
import pytest

from deploy.knowledge.store import open_knowledge
from deploy.settings import RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.prepare import storing
from tasks.prepare.index import index
from tasks.prepare.settings import IndexSettings
from tasks.prepare.storing import ResumingEmbedder
from tasks.rows.records import Document
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import write_table
from tests.contents import hashes
from tests.deploy.knowledge.hashed import HashedEmbedder
from tests.tasks.rows.made import document, outcomes

RUN = RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto")
SETTINGS = IndexSettings(chunk_words=8, batch_size=4, embedded_tokens=16, faiss="sq8")
RETRIEVAL = RetrievalSettings(top_k=2, candidates=10, dense_weight=0.5, fusion="scores")


def run(folder: Path, embedder: Path, rows: list[Document]) -> Path:
    write_table(folder / "documents.parquet", Document, rows)
    (folder / "work").mkdir(exist_ok=True)
    index(
        folder / "documents.parquet",
        embedder,
        knowledge=folder / "index",
        report=folder / "index.json",
        work=folder / "work",
        run=RUN,
        settings=SETTINGS,
    )
    return folder


def test_documents_become_searchable_and_are_accounted_for(tmp_path: Path, tiny_embedder: Path) -> None:
    texts = {"f": "x=1 : int\nA number.", "g": "y=2 : int\n" + "letters " * 20, "h": " "}
    rows = [document(name, text, title=name) for name, text in texts.items()]
    folder = run(tmp_path, tiny_embedder, rows)
    report = read_report(folder / "index.json")
    assert unbalanced(report.rows) == []
    assert outcomes(report.rows) == {
        ("in", ""): 3,
        ("kept", ""): 2,
        ("dropped", "empty"): 1,
    }
    assert report.figures["words"] == sum(len(text.split()) for text in texts.values())
    assert report.figures["chunks_cut"] > 0
    assert report.figures["tokens_cut"] > 0
    [hits] = open_knowledge(folder / "index", tiny_embedder, RETRIEVAL).search(
        ["In `f`, the default of `x`?"]
    )
    assert (hits[0].document, hits[0].uri) == ("f", "py:f")


def test_two_runs_write_the_same_bytes(tmp_path: Path, tiny_embedder: Path) -> None:
    rows = [document(name, f"{name} : int\nWords of {name}.", title=name) for name in "abcdefgh"]
    one, two = (run(tmp_path / name, tiny_embedder, rows) for name in ("one", "two"))
    assert hashes(one) == hashes(two)
    assert len(hashes(one)) > 5


def test_no_documents_give_a_store_that_finds_nothing(tmp_path: Path, tiny_embedder: Path) -> None:
    folder = run(tmp_path, tiny_embedder, [])
    assert open_knowledge(folder / "index", tiny_embedder, RETRIEVAL).search(["anything"]) == [[]]
    assert unbalanced(read_report(folder / "index.json").rows) == []


class Killed(HashedEmbedder):
    """An embedder that is killed at its second block."""

    calls = 0

    def embed_texts(self, texts, *, progress=lambda _: None):  # type: ignore[no-untyped-def]
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return super().embed_texts(texts, progress=progress)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_TEXTS_A_BLOCK", 3)
    texts = [f"text {at}" for at in range(8)]
    killed = Killed()
    with pytest.raises(KeyboardInterrupt):
        ResumingEmbedder(killed, tmp_path).embed_texts(texts, progress=lambda _: None)
    told: list[int] = []
    vectors = ResumingEmbedder(killed, tmp_path).embed_texts(texts, progress=told.append)
    assert killed.calls == 4  # one block was kept: the killed one and the last are made
    assert np.array_equal(vectors, HashedEmbedder().embed_texts(texts))
    assert told[0] == 3
    assert told[-1] == 8
