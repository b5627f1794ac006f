"""Protects the vectors: unit length, one row for each text whatever the batches, the same bits each time."""

from pathlib import Path

import numpy as np
import pytest

from deploy.errors import KnowledgeError
from deploy.knowledge.building import build_knowledge
from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import open_knowledge
from deploy.knowledge.vectors import chunk_vectors, distinct_texts
from deploy.settings import RetrievalSettings
from tests.deploy.knowledge.hashed import HashedEmbedder

TEXTS = ["a b c", "d", "e f g h i j k", "", "a b c", "l m"]


@pytest.fixture(scope="module")
def embedder(tiny_embedder: Path) -> SentenceEmbedder:
    return SentenceEmbedder(tiny_embedder, max_tokens=8, batch_size=2)


def test_rows_keep_the_order_of_the_texts(embedder: SentenceEmbedder) -> None:
    told: list[int] = []
    vectors = embedder.embed_texts(TEXTS, progress=told.append)
    alone = np.concatenate([embedder.embed_queries([text]) for text in TEXTS])
    assert vectors == pytest.approx(alone, abs=1e-5)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert vectors.dtype == np.float32
    assert told == [2, 4, 6]


def test_the_same_texts_give_the_same_bits(embedder: SentenceEmbedder) -> None:
    assert embedder.embed_texts(TEXTS).tobytes() == embedder.embed_texts(TEXTS).tobytes()


def test_tokens_are_counted_in_full_and_read_up_to_the_limit(embedder: SentenceEmbedder) -> None:
    long = "a b c d e f" + " z" * 50
    assert embedder.count_tokens([long, "a"]) == [58, 3]
    assert embedder.embed_texts([long]) == pytest.approx(embedder.embed_texts(["a b c d e f"]), abs=1e-5)


def test_nothing_to_embed_gives_no_rows(embedder: SentenceEmbedder) -> None:
    assert embedder.embed_texts([]).shape == (0, 16)


def test_weights_in_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(KnowledgeError, match=r"no readable model.safetensors .* run the stage `base`"):
        SentenceEmbedder(tmp_path)


def test_a_store_opens_with_its_own_embedder_only(
    tiny_embedder: Path, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    documents = [KnowledgeDocument(id="a", uri="", title="f", text="x : int\nA number.")]
    chunks = list(chunk_documents(documents, max_words=8))
    settings = RetrievalSettings(top_k=1, candidates=5, dense_weight=0.5, fusion="scores")
    build_knowledge(tmp_path / "own", documents, chunks, embedder=embedder, dense="flat")
    [[hit]] = open_knowledge(tmp_path / "own", tiny_embedder, settings).search(["number"])
    assert hit.text == "f\nx : int\nA number."
    build_knowledge(tmp_path / "other", documents, chunks, embedder=HashedEmbedder(), dense="flat")
    with pytest.raises(KnowledgeError, match="was made with the embedder"):
        open_knowledge(tmp_path / "other", tiny_embedder, settings)


def test_a_repeated_title_or_body_is_embedded_once() -> None:
    documents = [
        KnowledgeDocument(id=name, uri="", title=title, text="same words")
        for name, title in (("1", "f"), ("2", "g"), ("3", ""))
    ]
    chunks = list(chunk_documents(documents, max_words=8))
    assert distinct_texts(chunks) == ["f", "same words", "g"]
    vectors = chunk_vectors(chunks, HashedEmbedder(), known={}, progress=lambda _: None)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert vectors[2] == pytest.approx(HashedEmbedder().embed_texts(["same words"])[0], abs=1e-6)
    assert vectors[0] != pytest.approx(vectors[1], abs=1e-3)
