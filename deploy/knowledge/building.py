"""Writes the folder of a knowledge store, as `deploy.knowledge.store` has it, and reads its vectors."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from deploy.knowledge.arrays import Vectors
from deploy.knowledge.cells import excerpts
from deploy.knowledge.chunking import Chunk, KnowledgeDocument
from deploy.knowledge.database import TRUTH, Database, write_database
from deploy.knowledge.dense import CELLS_ABOVE, DenseIndex, DenseKind
from deploy.knowledge.derived import write_derived
from deploy.knowledge.embedder import Embedder
from deploy.knowledge.lexical import LexicalIndex
from deploy.knowledge.vectors import ChunkKey, chunk_vectors


def build_knowledge(
    folder: Path,
    documents: Sequence[KnowledgeDocument],
    chunks: Sequence[Chunk],
    *,
    embedder: Embedder,
    dense: DenseKind,
    cells_above: int = CELLS_ABOVE,
    known: Mapping[ChunkKey, Vectors] = MappingProxyType({}),
    filters: Sequence[str] = (),
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Embed `chunks` and write the store into `folder`; the same input gives the same bytes.

    The chunks of a document stand side by side, as `chunk_documents` yields them. The vectors of those in
    `known` are taken from there (`stored_vectors`). Searches can be kept to documents by the metadata that
    `filters` names. `progress` is told how many `distinct_texts` of the others are embedded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vectors = chunk_vectors(chunks, embedder, known=known, progress=progress)
    facts = {
        "embedder": embedder.identity,
        "dimensions": str(embedder.dimensions),
        "dense": dense,
        "chunks": str(len(chunks)),
        "documents": str(len(documents)),
    }
    write_database(folder / TRUTH, documents, chunks, vectors, facts, filters)
    texts = [chunk.text for chunk in chunks]
    lexical = LexicalIndex.build(texts, [chunk.title for chunk in chunks])
    index = DenseIndex.build(
        vectors, dense, asked=lambda: embedder.embed_queries(excerpts(texts)), cells_above=cells_above
    )
    write_derived(folder, folder / TRUTH, dense=index, lexical=lexical)


def stored_vectors(folder: Path) -> dict[ChunkKey, Vectors]:
    """The vector of each chunk in the store in `folder`, by its `chunk_key`.

    Raises:
        KnowledgeError: the store is missing or damaged.
    """
    database = Database(folder / TRUTH)
    try:
        texts, titles = database.texts()
        vectors = database.vectors(int(database.facts["dimensions"]))
    finally:
        database.close()
    return dict(zip(zip(titles, texts, strict=True), vectors, strict=True))
