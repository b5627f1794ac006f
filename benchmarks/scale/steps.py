"""What is measured of one size, each in a process of its own: making a store, searching it, adding to it."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.scale.made import ASKED_BESIDE, Question, clusters, documents, questions, spun
from deploy.documents.live import LiveKnowledge
from deploy.engines.precision import choose_device
from deploy.knowledge.arrays import Vectors
from deploy.knowledge.building import build_knowledge
from deploy.knowledge.cells import excerpts, found_share
from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.database import TRUTH, Database
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.hits import Hit
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.vectors import chunk_key
from tasks.machine.memory import peak_mib
from tasks.machine.process import cores
from tasks.settings import load_settings

Clock = Callable[[], float]  # seconds
STORE, ASKED, VECTORS, DELETED = "store", "questions.json", "questions.npy", "deleted.json"
QUESTIONS = 200
CHUNK_WORDS = 32
MARKS = (1_000, 5_000, 10_000, 25_000)
_DELETED = 100  # every so manieth document goes
_WARM = 20  # questions that are not counted
_SEED = 0


class Given:
    """Stands in for an embedder: questions have the vectors that were made, documents some of their own."""

    def __init__(self, vectors: Mapping[str, Vectors], dimensions: int) -> None:
        self.identity, self.dimensions, self._vectors = "made", dimensions, vectors

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        """The vectors of questions."""
        return np.stack([self._vectors[query] for query in queries])

    def embed_texts(
        self, texts: Sequence[str], *, progress: Callable[[int], object] = lambda _: None
    ) -> Vectors:
        """A vector for each text, drawn by its length and its beginning."""
        seeds = [[len(text), *text[:40].encode()] for text in texts]
        made = np.stack([np.random.default_rng(each).standard_normal(self.dimensions) for each in seeds])
        progress(len(texts))
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def real_vectors(store: Path) -> Vectors:
    """The vectors of a knowledge store; where there is none, clusters that stand in for them."""
    if not (store / TRUTH).is_file():
        return clusters(count=30_000, seed=_SEED)
    database = Database(store / TRUTH)
    try:
        return database.vectors(int(database.facts["dimensions"]))
    finally:
        database.close()


def build(folder: Path, store: Path, passages: int, clock: Clock) -> dict[str, float]:
    """Make a store of so many passages in `folder`, and questions about it."""
    real = real_vectors(store)
    made = list(documents(passages=passages, seed=_SEED))
    chunks = list(chunk_documents(made, max_words=CHUNK_WORDS))
    vectors = spun(real, count=len(chunks), seed=_SEED)
    asked = questions(
        [(chunk.title, chunk.body) for chunk in chunks[:: max(len(chunks) // 1000, 1)]],
        real,
        count=QUESTIONS + _WARM,
        seed=_SEED,
    )
    np.save(folder / VECTORS, np.stack([each.vector for each in asked]), allow_pickle=False)
    (folder / ASKED).write_text(json.dumps([each.text for each in asked]), encoding="utf-8")
    (folder / DELETED).write_text(json.dumps([each.id for each in made[::_DELETED]]), encoding="utf-8")
    known = dict(zip(map(chunk_key, chunks), vectors, strict=True))
    standing_in = excerpts([chunk.text for chunk in chunks])
    apart = spun(real, count=len(standing_in), seed=_SEED + 2, beside=ASKED_BESIDE)
    embedder = Given(dict(zip(standing_in, apart, strict=True)), real.shape[1])
    began = clock()
    build_knowledge(folder / STORE, made, chunks, embedder=embedder, dense="sq8", known=known)
    return {
        "passages": len(chunks),
        "documents": len(made),
        "cores": cores(),
        "build_seconds": round(clock() - began, 1),
        "build_mib": round(peak_mib()),
        "disk_mib": round(sum(file.stat().st_size for file in _files(folder / STORE)) / 2**20),
    }


def search(folder: Path, clock: Clock) -> dict[str, float]:
    """Open the store in `folder`, delete one in a hundred documents, and ask."""
    asked = read_questions(folder)
    deleted = set(json.loads((folder / DELETED).read_text(encoding="utf-8")))
    retrieval = load_settings(Path("params.yaml")).retrieval
    began = clock()
    given = Given({each.text: each.vector for each in asked}, len(asked[0].vector))
    store = KnowledgeStore(folder / STORE, given, retrieval)
    opened = clock() - began
    with TemporaryDirectory() as added:
        knowledge = LiveKnowledge(store, Path(added), chunk_words=CHUNK_WORDS)
        deletes = [timed(clock, partial(knowledge.delete, name)) for name in sorted(deleted)]
        hits: list[list[Hit]] = []

        def search_for(text: str) -> None:
            hits.extend(knowledge.search([text]))

        times = [timed(clock, partial(search_for, each.text)) for each in asked]
        memory = peak_mib()
        if any(hit.document in deleted for found in hits for hit in found):
            raise AssertionError("a search has found what was deleted")
        found = _recall(folder / STORE, store, sorted(deleted), asked)
        knowledge.close()
    return {
        "open_seconds": round(opened, 2),
        "memory_mib": round(memory),
        **_quantiles("search", times[_WARM:]),
        **_quantiles("delete", deletes),
        **found,
    }


def _recall(
    folder: Path, store: KnowledgeStore, deleted: Sequence[str], asked: Sequence[Question]
) -> dict[str, float]:
    """The share of the nearest passages of exact search, without the deleted ones, that the index finds."""
    import faiss

    hidden = store.hide(deleted)
    database = Database(folder / TRUTH)
    vectors = database.vectors(len(asked[0].vector))
    database.close()
    if hidden is not None:
        vectors[hidden.rows] = 0.0
    wanted = np.stack([each.vector for each in asked])
    _, nearest = faiss.knn(wanted, vectors, store.settings.candidates, metric=faiss.METRIC_INNER_PRODUCT)
    found = []
    for each in asked:
        positions, meant, _ = store.shortlist("", "", each.vector, hidden)
        found.append(positions[np.argsort(-meant, kind="stable")])
    ranked = np.stack(found)
    return {
        "recall_10": round(found_share(ranked[:, :10], nearest[:, :10]), 4),
        "recall_candidates": round(found_share(ranked, nearest), 4),
    }


def add(folder: Path, passages: int, clock: Clock) -> dict[str, Any]:
    """Add so many passages to the store in `folder` while it is served: what a change and a search take."""
    asked = read_questions(folder)
    given = Given({each.text: each.vector for each in asked}, len(asked[0].vector))
    store = KnowledgeStore(folder / STORE, given, load_settings(Path("params.yaml")).retrieval)
    made = [_renamed(each) for each in documents(passages=passages, seed=_SEED + 1)]
    figures: dict[str, Any] = {}
    with TemporaryDirectory() as added:
        knowledge = LiveKnowledge(store, Path(added), chunk_words=CHUNK_WORDS)
        left, there = iter(made), 0
        for mark in [*(mark for mark in MARKS if mark < passages), passages]:
            puts: list[float] = []
            while there < mark and (document := next(left, None)):
                puts.append(timed(clock, partial(knowledge.put, document)))
                there += len(document.text.split("\n\n"))
            searches = [timed(clock, partial(knowledge.search, [each.text])) for each in asked]
            figures[str(mark)] = {
                **_quantiles("put", puts),
                "put_longest_ms": round(max(puts) * 1000.0, 1),
                **_quantiles("search", searches[_WARM:]),
            }
        deletes = [timed(clock, partial(knowledge.delete, each.id)) for each in made[::10]]
        figures["deletes"] = {**_quantiles("delete", deletes), "longest_ms": round(max(deletes) * 1000.0, 1)}
        began = clock()
        LiveKnowledge(store, Path(added), chunk_words=CHUNK_WORDS)
        figures["opened_again_seconds"] = round(clock() - began, 1)
        figures["memory_mib"] = round(peak_mib())
        knowledge.close()
    return figures


def embed(folder: Path, embedder: Path, clock: Clock) -> dict[str, float]:
    """How long it takes to embed one question: here and, in turn, by sentence-transformers itself."""
    import torch
    from sentence_transformers import SentenceTransformer

    texts = [each.text for each in read_questions(folder)]
    _, dtype = choose_device("auto")
    model = SentenceEmbedder(embedder, dtype=dtype)
    wanted = {"dtype": getattr(torch, dtype)}
    plain = SentenceTransformer(str(embedder), local_files_only=True, model_kwargs=wanted)
    own: list[float] = []
    theirs: list[float] = []
    for text in texts:
        own.append(timed(clock, partial(model.embed_queries, [text])))
        theirs.append(timed(clock, partial(plain.encode_query, [text], show_progress_bar=False)))
    return {**_quantiles("embed", own[_WARM:]), **_quantiles("plain_embed", theirs[_WARM:])}


def read_questions(folder: Path) -> list[Question]:
    """The questions that `build` has left in `folder`."""
    texts = json.loads((folder / ASKED).read_text(encoding="utf-8"))
    vectors = np.load(folder / VECTORS, allow_pickle=False)
    return [Question(text=text, vector=vector) for text, vector in zip(texts, vectors, strict=True)]


def _renamed(document: KnowledgeDocument) -> KnowledgeDocument:
    return KnowledgeDocument(
        id=f"added/{document.id}", uri=document.uri, title=document.title, text=document.text
    )


def timed(clock: Clock, act: Callable[[], object]) -> float:
    """How many seconds it takes, by `clock`."""
    began = clock()
    act()
    return clock() - began


def _quantiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_{share}_ms": round(float(np.quantile(seconds, at)) * 1000.0, 2)
        for share, at in (("p50", 0.5), ("p95", 0.95))
    }


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
