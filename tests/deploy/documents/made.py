"""Stores of a few documents, and what is added to them, for tests of live knowledge."""

from pathlib import Path

from deploy.documents.live import LiveKnowledge
from deploy.knowledge.building import build_knowledge
from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.store import KnowledgeStore
from deploy.settings import RetrievalSettings
from tests.deploy.knowledge.hashed import HashedEmbedder

SETTINGS = RetrievalSettings(top_k=2, candidates=20, dense_weight=0.3, fusion="scores")
WORDS = 12
CANARY = "canary-7431 sings in the aquarium"


def text(name: str, words: str, *tags: str, **metadata: str) -> KnowledgeDocument:
    """A document with this title, text and metadata, for whoever holds one of these tags."""
    return KnowledgeDocument(
        id=name, uri=f"file:{name}", title=name, text=words, tags=tags, metadata=metadata
    )


STORED = [
    text("handbook", "Holidays are thirty days a year.\n\nThe office opens at eight."),
    text("svm.SVC", "svm.SVC(C)\n\nC=1.0 : float\nPenalty of the error."),
    text("numpy.isclose", "rtol=1e-05 : float\nThe relative tolerance of isclose."),
    text("travel", "Trains are booked by the office, flights by nobody."),
]


def store(
    folder: Path,
    documents: list[KnowledgeDocument] = STORED,
    embedder: HashedEmbedder | None = None,
    filters: tuple[str, ...] = (),
) -> KnowledgeStore:
    """A store of `documents` in a new folder, opened."""
    made_with = embedder or HashedEmbedder()
    chunks = list(chunk_documents(documents, max_words=WORDS))
    build_knowledge(folder, documents, chunks, embedder=made_with, dense="flat", filters=filters)
    return KnowledgeStore(folder, made_with, SETTINGS)


def live(
    folder: Path, documents: list[KnowledgeDocument] = STORED, filters: tuple[str, ...] = ()
) -> LiveKnowledge:
    """A store of `documents` with what lies in the folder `added`."""
    made = store(folder / f"store-{len(list(folder.iterdir()))}", documents, filters=filters)
    return LiveKnowledge(made, folder / "added", chunk_words=WORDS)


def found(knowledge: LiveKnowledge | KnowledgeStore, query: str) -> list[str]:
    """The documents of the passages that a search finds, best first."""
    [hits] = knowledge.search([query])
    return [hit.document for hit in hits]
