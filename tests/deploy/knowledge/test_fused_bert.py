"""Protects the vectors of an encoder whose steps are fused: those that sentence-transformers makes."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.fused_bert import FusedBert, fuse_bert

SHAPE = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 4, "vocab_size": 40}


@pytest.mark.parametrize("texts", [["a b c"], ["a b c", "", "d e f g h i j", "l m"]], ids=["alone", "batch"])
def test_the_vectors_are_those_of_sentence_transformers(tiny_embedder: Path, texts: list[str]) -> None:
    plain = SentenceTransformer(str(tiny_embedder), device="cpu", local_files_only=True)
    assert SentenceEmbedder(tiny_embedder).embed_queries(texts) == pytest.approx(
        plain.encode_query(texts), abs=1e-6
    )


def test_padding_and_types_of_tokens_are_minded() -> None:
    torch.manual_seed(0)
    model = BertModel(BertConfig(**SHAPE, num_hidden_layers=3)).eval()
    tokens = torch.randint(40, (3, 7))
    shown = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])
    types = torch.tensor([[0, 0, 0, 1, 1, 1, 1]] * 3)
    fused = fuse_bert(model)
    assert isinstance(fused, FusedBert)
    with torch.inference_mode():
        theirs = model(input_ids=tokens, attention_mask=shown, token_type_ids=types).last_hidden_state
        ours = fused(input_ids=tokens, attention_mask=shown, token_type_ids=types)["last_hidden_state"]
    assert ours[shown.bool()].numpy() == pytest.approx(theirs[shown.bool()].numpy(), abs=1e-5)


def test_another_family_or_kind_is_left_as_it_is() -> None:
    other = RobertaModel(RobertaConfig(**SHAPE, num_hidden_layers=1))
    gated = BertModel(BertConfig(**SHAPE, num_hidden_layers=1, hidden_act="relu"))
    assert fuse_bert(other) is other
    assert fuse_bert(gated) is gated
