"""A question and a passage read as one text: how well the one answers the other.

An embedder reads both apart, and what it keeps of a passage cannot know what will be asked. Here each word of
the question meets each word of the passage (Nogueira & Cho 2019, arXiv:1901.04085), in the embedder's own
layers trained further. What the fusion thinks of a passage counts as well: untrained, its order stands.

Import this module late: torch is needed to define it.
"""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, BertModel

from deploy.errors import KnowledgeError
from deploy.knowledge.embedder import WEIGHTS

_PRIOR = log(8.0)  # at first a tenth of the fusion's scale is worth 0.8 of a logit


class CrossEncoder(nn.Module):
    """Gives each pair of a question and a passage a logit; only those of one question compare."""

    def __init__(self, bert: nn.Module, width: int) -> None:
        super().__init__()
        self.bert = bert
        self.head = nn.Parameter(torch.zeros(width))
        self.prior = nn.Parameter(torch.tensor(_PRIOR))

    def forward(self, pairs: Mapping[str, Tensor], priors: Tensor) -> Tensor:
        """The logits [pairs] of tokenized `pairs`; `priors` [pairs] are the scores of the fusion, in 0..1."""
        states = self.bert(**pairs)["last_hidden_state"].float()
        shown = pairs["attention_mask"].unsqueeze(-1)
        mean = (states * shown).sum(1) / shown.sum(1)
        return (mean * self.head).sum(-1) + self.prior.exp() * priors


class PairTokenizer:
    """Makes a question and a passage one text of `max_tokens` at most; the longer of both is cut."""

    def __init__(self, embedder: Path, *, max_tokens: int) -> None:
        self.raw: Any = AutoTokenizer.from_pretrained(
            embedder, local_files_only=True, trust_remote_code=False
        )
        self.max_tokens = max_tokens

    def __call__(self, questions: Sequence[str], passages: Sequence[str]) -> dict[str, Tensor]:
        """The tokens of each question beside its passage, as the model's arguments."""
        encoded = self.raw(
            list(questions),
            list(passages),
            truncation="longest_first",
            max_length=self.max_tokens,
            padding=True,
            return_tensors="pt",
        )
        return dict(encoded)

    def cut(self, questions: Sequence[str], passages: Sequence[str]) -> int:
        """How many of the pairs are longer than what is read of them."""
        encoded = self.raw(list(questions), list(passages), truncation=False, verbose=False)
        return sum(len(ids) > self.max_tokens for ids in encoded["input_ids"])


def untrained(embedder: Path) -> CrossEncoder:
    """A cross-encoder of the embedder's layers, which leaves every order as it is.

    Raises:
        KnowledgeError: the embedder is no BERT, or cannot be read.
    """
    try:
        bert = AutoModel.from_pretrained(
            embedder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        raise KnowledgeError(
            f"the embedder {embedder} cannot be made a reranker ({error}); it takes a BERT with its "
            f"{WEIGHTS}: set rerank.enabled to false, or name one in base.embedder"
        ) from None
    if type(bert) is not BertModel:
        raise KnowledgeError(
            f"the embedder {embedder} is a {type(bert).__name__}, and a reranker is made of a BERT: set "
            "rerank.enabled to false, or name one in base.embedder"
        )
    bert.pooler = None
    return CrossEncoder(bert, bert.config.hidden_size)


def learn_above(model: CrossEncoder, trained_layers: int | None) -> None:
    """Let only the topmost `trained_layers` learn, and what stands on them; None: all of them.

    The embeddings of words stay those of the embedder: they are half of its weights, and few words of a
    vocabulary stand in what a reranker learns from.
    """
    model.requires_grad_(False)
    layers: Any = model.bert.encoder.layer  # type: ignore[union-attr]
    first = 0 if trained_layers is None else max(len(layers) - trained_layers, 0)
    for part in layers[first:]:
        part.requires_grad_(True)
    model.head.requires_grad_(True)
    model.prior.requires_grad_(True)
