"""The vectors of chunks: each is the mean direction of its title's and its body's.

Titles and bodies repeat a great deal (a parameter is documented in the same words wherever it is
inherited), so each distinct text is embedded once: a quarter of the work is saved on the default source. Its
questions on a named function find their chunk more often so than with title and body in one text, where the
name is one word of many.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from deploy.knowledge.arrays import Vectors
from deploy.knowledge.chunking import Chunk
from deploy.knowledge.embedder import Embedder

ChunkKey = tuple[str, str]


def distinct_texts(chunks: Iterable[Chunk]) -> list[str]:
    """The titles and bodies of `chunks`, each once, in the order of their first appearance."""
    texts: dict[str, None] = {}
    for chunk in chunks:
        if chunk.title:
            texts[chunk.title] = None
        texts[chunk.body] = None
    return list(texts)


def chunk_vectors(
    chunks: Sequence[Chunk],
    embedder: Embedder,
    *,
    known: Mapping[ChunkKey, Vectors],
    progress: Callable[[int], object],
) -> Vectors:
    """One row of unit length for each chunk: that of `known`, where it is there, else made.

    `progress` is told how many of the distinct texts of the others are done.
    """
    vectors = np.zeros((len(chunks), embedder.dimensions), dtype=np.float32)
    fresh = [at for at, chunk in enumerate(chunks) if chunk_key(chunk) not in known]
    vectors[fresh] = _made([chunks[at] for at in fresh], embedder, progress)
    for at, chunk in enumerate(chunks):
        if (kept := known.get(chunk_key(chunk))) is not None:
            vectors[at] = kept
    return vectors


def chunk_key(chunk: Chunk) -> ChunkKey:
    """All of a chunk that its vector depends on: the title of its document, and its text."""
    return chunk.title, chunk.text


def _made(chunks: Sequence[Chunk], embedder: Embedder, progress: Callable[[int], object]) -> Vectors:
    texts = distinct_texts(chunks)
    if not texts:
        return np.zeros((0, embedder.dimensions), dtype=np.float32)
    place = {text: at for at, text in enumerate(texts)}
    embedded = embedder.embed_texts(texts, progress=progress)
    bodies = embedded[[place[chunk.body] for chunk in chunks]]
    # A chunk without a title counts its body twice, which leaves its direction alone.
    titles = embedded[[place[chunk.title or chunk.body] for chunk in chunks]]
    mixed = bodies + titles
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.ascontiguousarray(mixed / np.maximum(lengths, 1e-12), dtype=np.float32)
