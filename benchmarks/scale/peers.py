"""What others make of the same passages, vectors and questions.

    PYTHON peers.py langchain|llamaindex FOLDER [--busy]

PYTHON is that of an environment of its own, FOLDER what `benchmarks.scale.steps.build` has left. Both search
FAISS and BM25 for as many candidates as we do and merge the two lists, as their documentation shows it (their
defaults: an exact index). Neither can delete from BM25: it is made anew from what is left. The last line is
one JSON object.
"""

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CANDIDATES, TOP_K, LEXICAL_WEIGHT = 50, 3, 0.7  # as params.yaml has them
SECONDS = 60.0  # of asking; at most all questions
MOST_BYTES = 8 * 2**30
_WARM = 3


@dataclass
class Made:
    """The passages with their vectors, which of them are to be deleted, and the questions."""

    ids: list[str]
    texts: list[str]
    vectors: np.ndarray
    deleted: list[str]
    asked: dict[str, np.ndarray]


@dataclass
class Peer:
    """A way to search: what asks, what deletes, what makes BM25 anew without the deleted."""

    search: Callable[[str], Sequence[str]]
    delete: Callable[[list[str]], None]
    rebuild: Callable[[set[str]], None]


def read(folder: Path) -> Made:
    """What lies in `folder`."""
    gone = set(json.loads((folder / "deleted.json").read_text(encoding="utf-8")))
    with sqlite3.connect(folder / "store/knowledge.sqlite") as file:
        rows = file.execute(
            "SELECT chunks.position, documents.id, text, vector FROM chunks "
            "JOIN documents ON documents.position = document "
            "JOIN vectors ON vectors.position = chunks.position ORDER BY chunks.position"
        )
        ids, texts, deleted, vectors = [], [], [], bytearray()
        for position, document, text, vector in rows:
            ids.append(str(position))
            texts.append(text)
            deleted += [str(position)] if document in gone else []
            vectors += vector
    asked = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    given = dict(zip(asked, np.load(folder / "questions.npy", allow_pickle=False), strict=True))
    return Made(ids, texts, np.frombuffer(vectors, dtype="<f4").reshape(len(ids), -1), deleted, given)


def langchain(made: Made) -> Peer:
    """LangChain's FAISS and BM25Retriever in an EnsembleRetriever."""
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_core.embeddings import Embeddings

    class Given(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

        def embed_query(self, text: str) -> list[float]:
            return made.asked[text]  # type: ignore[return-value]

    store = FAISS.from_embeddings(zip(made.texts, made.vectors, strict=True), Given(), ids=made.ids)
    dense = store.as_retriever(search_kwargs={"k": CANDIDATES})
    ways: list[Any] = []

    def rebuild(gone: set[str]) -> None:
        left = [at for at, each in enumerate(made.ids) if each not in gone]
        texts, ids = [made.texts[at] for at in left], [made.ids[at] for at in left]
        lexical = BM25Retriever.from_texts(texts, ids=ids, k=CANDIDATES)
        weights = [LEXICAL_WEIGHT, 1.0 - LEXICAL_WEIGHT]
        ways[:] = [EnsembleRetriever(retrievers=[lexical, dense], weights=weights)]

    def search(query: str) -> list[str]:
        return [str(each.id) for each in ways[0].invoke(query)[:TOP_K]]

    return Peer(search, lambda ids: store.delete(ids) and None, rebuild)


def llamaindex(made: Made) -> Peer:
    """LlamaIndex's FaissMapVectorStore (its FAISS store that can delete) and BM25Retriever, fused."""
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever
    from llama_index.vector_stores.faiss import FaissMapVectorStore

    class Given(BaseEmbedding):  # type: ignore[misc]
        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(value) for value in made.asked[query]]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return [float(value) for value in made.asked[query]]

        def _get_text_embedding(self, text: str) -> list[float]:
            raise NotImplementedError

    store = FaissMapVectorStore(faiss_index=faiss.IndexIDMap2(faiss.IndexFlatIP(made.vectors.shape[1])))
    index = VectorStoreIndex(
        [], storage_context=StorageContext.from_defaults(vector_store=store), embed_model=Given()
    )
    # Not all at once: a vector is a list of Python's floats there.
    for start in range(0, len(made.ids), 10_000):
        index.insert_nodes(
            [
                TextNode(id_=made.ids[at], text=made.texts[at], embedding=made.vectors[at].tolist())
                for at in range(start, min(start + 10_000, len(made.ids)))
            ]
        )
    dense = index.as_retriever(similarity_top_k=CANDIDATES)
    ways: list[Any] = []

    def rebuild(gone: set[str]) -> None:
        left = [
            TextNode(id_=name, text=text)
            for name, text in zip(made.ids, made.texts, strict=True)
            if name not in gone
        ]
        lexical = BM25Retriever.from_defaults(nodes=left, similarity_top_k=CANDIDATES)
        ways[:] = [
            QueryFusionRetriever(
                [lexical, dense],
                retriever_weights=[LEXICAL_WEIGHT, 1.0 - LEXICAL_WEIGHT],
                similarity_top_k=TOP_K,
                num_queries=1,
                mode="relative_score",
                use_async=False,
                llm=MockLLM(),
            )
        ]

    def search(query: str) -> list[str]:
        return [each.node.node_id for each in ways[0].retrieve(query)]

    return Peer(search, lambda ids: index.delete_nodes(ids, delete_from_docstore=True), rebuild)


def measure(peer: Peer, made: Made, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Times in milliseconds, after a deletion; what was deleted must not be found."""
    began = clock()
    peer.rebuild(set())
    built = clock()
    one, others = made.deleted[:1], made.deleted[1:]
    peer.delete(one)
    deleted = clock()
    if others:
        peer.delete(others)
    gone, start = set(made.deleted), clock()
    peer.rebuild(gone)
    rebuilt = clock()
    times: list[float] = []
    for query in made.asked:
        asked = clock()
        found = peer.search(query)
        times.append(clock() - asked)
        if gone & set(found):
            raise AssertionError(f"it has found what was deleted: {sorted(gone & set(found))}")
        if clock() - rebuilt > SECONDS and len(times) > 2 * _WARM:
            break
    return {
        "lexical_build_seconds": round(built - began, 1),
        "delete_one_ms": round((deleted - built) * 1000.0, 2),
        "rebuild_ms": round((rebuilt - start) * 1000.0, 1),
        "search_p50_ms": round(float(np.quantile(times[_WARM:], 0.5)) * 1000.0, 2),
        "search_p95_ms": round(float(np.quantile(times[_WARM:], 0.95)) * 1000.0, 2),
        "asked": len(times) - _WARM,
        "memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> int:
    """Measure one of them; exit 1 where it needs more memory than `MOST_BYTES`."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    clock = time.thread_time if "--busy" in sys.argv else time.perf_counter
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    try:
        made = read(folder)
        began = clock()
        peer = {"langchain": langchain, "llamaindex": llamaindex}[name](made)
        built = round(clock() - began, 1)
        print(json.dumps({**measure(peer, made, clock), "dense_build_seconds": built}))
    except MemoryError:
        print(f"{name} needs more than {MOST_BYTES / 2**30:.0f} GiB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
