"""Texts as vectors of length one: what the dense half of the search compares."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from deploy.errors import KnowledgeError
from deploy.files import sha256_of
from deploy.knowledge.arrays import Vectors

WEIGHTS = "model.safetensors"


class Embedder(Protocol):
    """Anything that turns texts into vectors."""

    @property
    def identity(self) -> str:
        """What the vectors depend on: vectors of different identities cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of each vector."""
        ...

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        """One row of unit length for each question."""
        ...

    def embed_texts(self, texts: Sequence[str], *, progress: Callable[[int], object]) -> Vectors:
        """One row of unit length for each text; `progress` is told how many are done."""
        ...


def embedder_identity(folder: Path) -> str:
    """The sha256 of the embedder's weights.

    Raises:
        KnowledgeError: the folder has no weights in safetensors format.
    """
    try:
        return sha256_of(folder / WEIGHTS)
    except OSError as error:
        raise KnowledgeError(
            f"the embedder {folder} has no readable {WEIGHTS} ({error.strerror}); "
            "run the stage `base`, or name a sentence-transformers folder in base.embedder"
        ) from None


class SentenceEmbedder:
    """A sentence-transformers model from a local folder.

    Texts are read up to `max_tokens`, in batches of similar length, and come out as float32. The same texts
    give the same bits for the same number of threads. Where a query encoder was trained from it, and lies in
    its folder, that reads the questions.

    Raises:
        KnowledgeError: the folder has no weights, or a query encoder that cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_tokens: int | None = None,
        batch_size: int = 32,
        dtype: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        self.identity = embedder_identity(folder)
        import torch
        from sentence_transformers import SentenceTransformer

        from deploy.knowledge.fused_bert import fuse_bert
        from deploy.knowledge.query_encoder import query_model

        self._model: Any = SentenceTransformer(
            str(folder),
            device="cuda" if torch.cuda.is_available() else "cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": getattr(torch, dtype), "use_safetensors": True},
        )
        plain = self._model[0].model
        asked = query_model(folder, self.identity, plain)
        self._passages = fuse_bert(plain)
        self._questions = self._passages if asked is plain else fuse_bert(asked)
        own_limit = self._model.max_seq_length or 512
        self.max_tokens: int = min(max_tokens or own_limit, own_limit)
        self._model.max_seq_length = self.max_tokens
        self._batch_size = batch_size
        # A fast tokenizer keeps its truncation as state and refuses to be asked from two threads at once.
        self._one_at_a_time = threading.Lock()

    @property
    def dimensions(self) -> int:
        """The length of each vector."""
        return int(self._model.get_embedding_dimension())

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has in full, the special ones included."""
        if not texts:
            return []
        with self._one_at_a_time:
            encoded = self._model.tokenizer(list(texts), truncation=False, padding=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        """One row of unit length for each question."""
        return self._encode(list(queries), prompt="query")

    def embed_texts(
        self, texts: Sequence[str], *, progress: Callable[[int], object] = lambda _: None
    ) -> Vectors:
        """One row of unit length for each text; `progress` is told how many are done."""
        lengths = self.count_tokens(texts)
        order = sorted(range(len(texts)), key=lambda at: (-lengths[at], at))  # the slowest first
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            vectors[batch] = self._encode([texts[at] for at in batch], prompt="document")
            progress(start + len(batch))
        return vectors

    def _encode(self, texts: list[str], *, prompt: str) -> Vectors:
        asks = prompt == "query"
        encode = self._model.encode_query if asks else self._model.encode_document
        with self._one_at_a_time:
            self._model[0].model = self._questions if asks else self._passages
            vectors = encode(
                texts,
                batch_size=self._batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        rows = np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimensions)
        # In float32: of unit length as bfloat16 rounds them, they are up to 0.4 % too long or too short.
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.ascontiguousarray(rows / np.maximum(lengths, 1e-12))
