"""Documents made into a knowledge store: what the stages `index` and `knowledge` have in common."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import replacing
from deploy.knowledge.building import build_knowledge
from deploy.knowledge.chunking import Chunk, KnowledgeDocument, chunk_documents
from deploy.knowledge.embedder import Embedder, SentenceEmbedder
from deploy.knowledge.vectors import ChunkKey, chunk_key, distinct_texts
from tasks.machine.device import set_up_torch
from tasks.machine.progress import Progress
from tasks.machine.settings import RunSettings
from tasks.prepare.settings import IndexSettings
from tasks.rows.records import Document
from tasks.rows.reports import RowCount, row_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEXTS_A_BLOCK = 1024


def store_documents(
    rows: Sequence[Document],
    embedder: Path,
    folder: Path,
    *,
    work: Path,
    known: "Mapping[ChunkKey, NDArray[np.float32]]",
    run: RunSettings,
    settings: IndexSettings,
    filters: Sequence[str] = (),
) -> tuple[list[RowCount], dict[str, Any]]:
    """Cut `rows` into chunks, embed those that are not `known`, and write the store into `folder`.

    Of their metadata it holds what `filters` names.

    Gives the counts of the rows, and the figures of a report.
    """
    documents = [
        KnowledgeDocument(
            id=row.id,
            uri=row.uri,
            title=row.title,
            text=row.text,
            tags=row.tags,
            metadata=metadata_of(row) if filters else {},
        )
        for row in rows
    ]
    chunks = list(chunk_documents(documents, max_words=settings.chunk_words))
    texts = distinct_texts(chunk for chunk in chunks if chunk_key(chunk) not in known)
    print(f"{len(rows)} documents, {len(chunks)} chunks, {len(texts)} distinct texts to embed")
    device = set_up_torch(run)
    model = SentenceEmbedder(
        embedder,
        max_tokens=settings.embedded_tokens,
        batch_size=settings.batch_size,
        dtype=device.precision,
    )
    build_knowledge(
        folder,
        documents,
        chunks,
        embedder=ResumingEmbedder(model, work),
        dense=settings.faiss,
        known=known,
        filters=filters,
        progress=Progress(len(texts), "texts").update,
    )
    figures = {
        "chunks": len(chunks),
        "distinct_texts": len(texts),
        "words": sum(len(chunk.body.split()) for chunk in chunks),
        "embedder": model.identity,
        **_cut(chunks, model),
        **device.figures(),
    }
    return _counted(rows, chunks), figures


def metadata_of(row: Document) -> dict[str, str]:
    """What is known of a document: its own metadata, and the name of its source."""
    return {"source": row.source, **row.metadata}


class ResumingEmbedder:
    """An embedder that keeps each finished block of vectors in a folder, and takes it from there again."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder, self._folder = embedder, folder
        self.identity, self.dimensions = embedder.identity, embedder.dimensions

    def embed_queries(self, queries: Sequence[str]) -> "NDArray[np.float32]":
        """One row of unit length for each question."""
        return self._embedder.embed_queries(queries)

    def embed_texts(
        self, texts: Sequence[str], *, progress: Callable[[int], object]
    ) -> "NDArray[np.float32]":
        """One row of unit length for each text; `progress` is told how many are done."""
        import numpy as np

        blocks: list[NDArray[np.float32]] = []
        for start in range(0, len(texts), _TEXTS_A_BLOCK):
            block = texts[start : start + _TEXTS_A_BLOCK]
            path = self._folder / f"vectors-{start:08d}.npy"
            if path.exists():
                vectors = np.load(path, allow_pickle=False)
            else:

                def told(done: int, before: int = start) -> None:
                    progress(before + done)

                vectors = self._embedder.embed_texts(block, progress=told)
                with replacing(path) as partial, partial.open("wb") as file:
                    np.save(file, vectors, allow_pickle=False)
            blocks.append(vectors)
            progress(start + len(block))
        return np.concatenate(blocks) if blocks else self._embedder.embed_texts([], progress=progress)


def _counted(rows: Sequence[Document], chunks: Sequence[Chunk]) -> list[RowCount]:
    kept = len({chunk.document for chunk in chunks})
    return row_counts("document", len(rows), kept=kept, dropped={"empty": len(rows) - kept})


def _cut(chunks: Sequence[Chunk], model: SentenceEmbedder) -> dict[str, int]:
    """How much of the chunks the embedder does not read; BM25 reads all of it."""
    over = [max(tokens - model.max_tokens, 0) for tokens in model.count_tokens([c.body for c in chunks])]
    return {"chunks_cut": sum(tokens > 0 for tokens in over), "tokens_cut": sum(over)}
