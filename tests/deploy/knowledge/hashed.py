"""A small double of an embedder for tests: vectors from hashed words, without a model."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class HashedEmbedder:
    """Texts that share words have vectors that point alike; `name` makes it another embedder."""

    def __init__(self, name: str = "hashed", dimensions: int = 32) -> None:
        self.identity = hashlib.sha256(name.encode()).hexdigest()
        self.dimensions = dimensions

    def embed_queries(self, queries: Sequence[str]) -> "NDArray[np.float32]":
        """One row of unit length for each question."""
        return self.embed_texts(queries)

    def embed_texts(
        self, texts: Sequence[str], *, progress: Callable[[int], object] = lambda _: None
    ) -> "NDArray[np.float32]":
        """One row of unit length for each text."""
        import numpy as np

        vectors = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimensions] += 1.0
            progress(row + 1)
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit
