"""Protects what is served from what was trained: new documents are found at the price of their own chunks."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.knowledge.building import stored_vectors
from deploy.knowledge.store import open_knowledge
from deploy.settings import RetrievalSettings
from tasks.errors import SourceError
from tasks.machine.settings import RunSettings
from tasks.prepare.index import index
from tasks.prepare.settings import IndexSettings, KnowledgeSettings
from tasks.release.knowledge import knowledge
from tasks.rows.records import Document, Dropped, Example
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.tables import write_table
from tests.contents import hashes
from tests.tasks.rows.made import default_asked, document

RUN = RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto")
INDEXING = IndexSettings(chunk_words=8, batch_size=4, embedded_tokens=16, faiss="flat")
RETRIEVAL = RetrievalSettings(top_k=1, candidates=10, dense_weight=0.0, fusion="scores")
SEEN = [
    document(f"svm.SVC{n}", f"SVC{n}\n\nC=1.0 : float\nPenalty {n}.", title=f"svm.SVC{n}") for n in range(6)
]
NEW = document("handbook", "Holidays are thirty days a year.", title="handbook")


@pytest.fixture
def seen(tmp_path: Path, tiny_embedder: Path) -> Path:
    """A folder with what training has seen: splits with six questions, and their index."""
    write_table(tmp_path / "splits/documents.parquet", Document, SEEN)
    asked = [
        default_asked(f"q{n}", f"What is the default of `C` in `svm.SVC{n}`?", document=f"svm.SVC{n}")
        for n in range(6)
    ]
    write_table(tmp_path / "splits/validation/examples.parquet", Example, asked)
    (tmp_path / "work").mkdir()
    index(
        tmp_path / "splits/documents.parquet",
        tiny_embedder,
        knowledge=tmp_path / "index",
        report=tmp_path / "index.json",
        work=tmp_path / "work",
        run=RUN,
        settings=INDEXING,
    )
    return tmp_path


def make(
    folder: Path,
    embedder: Path,
    documents: list[Document],
    held: tuple[str, ...] = (),
    max_lost: float = 0.1,
    filters: tuple[str, ...] = (),
) -> Report:
    """The report of a store of `documents`, those called `held` in quarantine."""
    write_table(folder / "documents.parquet", Document, documents)
    kept_away = [
        Dropped(id=name, kind="document", source="test", stage="validate", reason="bad", detail="")
        for name in held
    ]
    write_table(folder / "quarantine.parquet", Dropped, kept_away)
    shutil.rmtree(folder / "knowledge", ignore_errors=True)
    shutil.rmtree(folder / "work")
    (folder / "work").mkdir()
    knowledge(
        folder / "documents.parquet",
        folder / "quarantine.parquet",
        folder / "splits",
        folder / "index",
        embedder,
        knowledge=folder / "knowledge",
        report=folder / "knowledge.json",
        work=folder / "work",
        run=RUN,
        indexing=INDEXING,
        retrieval=RETRIEVAL,
        settings=KnowledgeSettings(max_drift=0.5, max_lost=max_lost, filters=filters),
    )
    report = read_report(folder / "knowledge.json")
    assert unbalanced(report.rows) == []
    return report


def test_the_documents_of_training_are_served_as_they_are(seen: Path, tiny_embedder: Path) -> None:
    report = make(seen, tiny_embedder, SEEN[::-1])
    assert hashes(seen / "knowledge") == hashes(seen / "index")
    assert report.figures == {"drift": {"added": 0, "changed": 0, "removed": 0, "share": 0.0}}


def test_a_new_document_is_found_and_no_other_is_embedded_anew(
    seen: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = make(seen, tiny_embedder, [*SEEN, NEW])
    assert "2 distinct texts to embed" in capsys.readouterr().out
    store = open_knowledge(seen / "knowledge", tiny_embedder, RETRIEVAL)
    [[hit]] = store.search(["how many days of holidays a year"])
    assert hit.document == "handbook"
    old, now = stored_vectors(seen / "index"), stored_vectors(seen / "knowledge")
    assert all((now[key] == vector).all() for key, vector in old.items())
    assert len(now) == len(old) + 1
    assert report.figures["drift"]["added"] == 1
    assert report.figures["passage_found"] == {"by_training": 1.0, "now": 1.0}


def test_what_was_removed_is_found_no_more_and_a_loss_is_told(
    seen: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = make(seen, tiny_embedder, [*SEEN[:4], NEW], held=("svm.SVC0",))
    assert report.figures["drift"] == {"added": 1, "changed": 0, "removed": 3, "share": 0.5714}
    assert report.figures["passage_found"]["now"] == 0.5
    said = capsys.readouterr().out
    assert "warning: 0.500 fewer find it, and knowledge.max_lost is 0.1" in said
    assert not [key for key in stored_vectors(seen / "knowledge") if key[0] in ("svm.SVC0", "svm.SVC5")]
    make(seen, tiny_embedder, [*SEEN[:4], NEW], max_lost=0.6)
    assert "warning" not in capsys.readouterr().out


def test_tags_are_served_at_no_price_and_training_has_seen_none(
    seen: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tagged = [replace(SEEN[0], tags=("birds", "fish")), *SEEN[1:]]
    report = make(seen, tiny_embedder, tagged)
    said = capsys.readouterr().out
    assert "0 distinct texts to embed" in said
    assert "1 documents are for keys with a tag of theirs (birds: 1, fish: 1)" in said
    assert report.figures["tags"] == {"birds": 1, "fish": 1}
    store = open_knowledge(seen / "knowledge", tiny_embedder, RETRIEVAL)
    for held, expected in ((None, "svm.SVC0"), (["fish"], "svm.SVC0")):
        [[hit]] = store.search(["C of svm.SVC0"], held=held)
        assert hit.document == expected
    [[hit]] = store.search(["C of svm.SVC0"], held=[])
    assert hit.document != "svm.SVC0"
    make(seen, tiny_embedder, SEEN)
    assert hashes(seen / "knowledge") == hashes(seen / "index")


def test_what_filters_name_is_served_at_no_price(
    seen: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [replace(row, metadata={"product": f"p{n % 2}", "author": "Ada"}) for n, row in enumerate(SEEN)]
    report = make(seen, tiny_embedder, known, filters=("product", "source"))
    said = capsys.readouterr().out
    assert "0 distinct texts to embed" in said
    assert "can be kept to documents by product (2 values in 6 documents), source (1 values in 6" in said
    assert report.figures["filters"]["product"] == {"p0": 3, "p1": 3}
    store = open_knowledge(seen / "knowledge", tiny_embedder, RETRIEVAL)
    assert store.filters == ("product", "source")
    source = SEEN[0].source
    assert store.described["svm.SVC1"] == {"product": "p1", "source": source}


def test_a_filter_that_no_document_has_is_named(seen: Path, tiny_embedder: Path) -> None:
    with pytest.raises(SourceError, match=r"names produkt, and no document has it; they have .*source"):
        make(seen, tiny_embedder, SEEN, filters=("produkt",))
