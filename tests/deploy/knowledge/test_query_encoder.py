"""Protects the query encoder: it reads questions alone, it is what was trained, and it fits its embedder."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deploy.errors import KnowledgeError
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.query_encoder import FOLDER, NOTE, query_model
from deploy.knowledge.store import open_knowledge
from deploy.knowledge.trained import WEIGHTS
from deploy.settings import RetrievalSettings
from tests.conftest import write_tiny_index
from tests.deploy.knowledge.encoded import write_random_query_encoder

TEXTS = {f"d{n}": f"price{n} : float, what kind{n} costs in the year {2000 + n}" for n in range(8)}
QUESTIONS = ["what does kind3 cost", "kind7", "a price and a year " * 4]


@pytest.fixture
def own(tiny_embedder: Path, tmp_path: Path) -> Path:
    """An embedder with a query encoder."""
    return write_random_query_encoder(tiny_embedder, tmp_path / "own")


def test_questions_are_read_by_it_and_passages_as_before(tiny_embedder: Path, own: Path) -> None:
    plain, tuned = SentenceEmbedder(tiny_embedder), SentenceEmbedder(own)
    assert tuned.identity == plain.identity
    texts = list(TEXTS.values())
    before = tuned.embed_texts(texts)
    questions = tuned.embed_queries(QUESTIONS)
    np.testing.assert_array_equal(before, plain.embed_texts(texts))
    np.testing.assert_array_equal(tuned.embed_texts(texts), before)  # after questions as well
    assert np.linalg.norm(questions, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (questions * plain.embed_queries(QUESTIONS)).sum(1).max() < 0.99


def test_a_store_is_searched_with_it_as_it_is(tiny_embedder: Path, own: Path, tmp_path: Path) -> None:
    index = write_tiny_index(tmp_path / "index", tiny_embedder, TEXTS)
    settings = RetrievalSettings(top_k=8, candidates=20, dense_weight=1.0, fusion="scores")
    orders = []
    for embedder in (tiny_embedder, own):
        store = open_knowledge(index, embedder, settings)
        orders.append([hit.document for hit in store.search(QUESTIONS[:1])[0]])
        store.close()
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_the_embeddings_of_words_take_no_memory_again(tiny_embedder: Path, own: Path) -> None:
    from transformers import AutoModel

    plain = AutoModel.from_pretrained(tiny_embedder)
    tuned = query_model(own, SentenceEmbedder(own).identity, plain)
    assert tuned is not plain
    words, others = (each.get_input_embeddings().weight for each in (plain, tuned))  # type: ignore[operator]
    assert words.data_ptr() == others.data_ptr()
    layers = [dict(each.named_parameters())["encoder.layer.0.output.dense.weight"] for each in (plain, tuned)]
    assert layers[0].data_ptr() != layers[1].data_ptr()


def _other_embedder(folder: Path) -> None:
    note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    (folder / NOTE).write_text(json.dumps({**note, "embedder": "0" * 64}), encoding="utf-8")


def _damaged(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(content))


def _missing(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def _of_another_shape(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from deploy.files import sha256_of

    save_file({"encoder.layer.0.output.dense.weight": torch.zeros(1)}, folder / WEIGHTS)
    note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    (folder / NOTE).write_text(json.dumps({**note, "weights": sha256_of(folder / WEIGHTS)}), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_other_embedder, "was trained from the embedder 000000000000, but"),
        (_damaged, "is damaged: its checksum is not the one that was noted"),
        (_missing, "cannot be read: No such file"),
        (_of_another_shape, "does not fit the embedder: encoder.layer.0.output.dense.weight in"),
    ],
)
def test_what_is_not_what_was_trained_is_refused_by_name(
    own: Path, change: Callable[[Path], None], told: str
) -> None:
    change(own / FOLDER)
    with pytest.raises(KnowledgeError, match=told) as refused:
        SentenceEmbedder(own)
    assert "run the stage `query_encoder` again, or delete that folder" in str(refused.value)
