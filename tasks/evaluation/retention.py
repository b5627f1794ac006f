"""How much general ability an adapter leaves: the likelihood of plain text from outside the task."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.engines.local import TransformersEngine
from tasks.scoring.probe import GENERAL, passages

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

BATCH = 8  # passages at once: the scores over a whole vocabulary take some memory


def likelihoods(
    engine: TransformersEngine, tokenizer: "PreTrainedTokenizerBase", path: Path = GENERAL
) -> dict[str, float]:
    """For each model of the engine its mean negative log-likelihood of a token of general text."""
    texts = passages(path)
    result: dict[str, float] = {}
    for name in engine.models:
        with engine.held(name) as logits:
            result[name] = mean_nll(logits, tokenizer, texts)
    return result


def mean_nll(
    logits_of: "Callable[[Tensor], Tensor]", tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]
) -> float:
    """The mean negative log-likelihood of a token, in nats, over all tokens but the first of each text."""
    import torch

    total, count = 0.0, 0
    for start in range(0, len(texts), BATCH):
        encoded = [tokenizer.encode(text, add_special_tokens=False) for text in texts[start : start + BATCH]]
        longest = max(len(ids) for ids in encoded)
        # Padding stands on the right, where causal attention cannot see it from a real token.
        rows = torch.tensor([ids + [ids[-1]] * (longest - len(ids)) for ids in encoded])
        real = torch.tensor([[place < len(ids) for place in range(1, longest)] for ids in encoded])
        logits = logits_of(rows)[:, :-1].float().cpu()
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none")
        total += float(losses.double()[real].sum())
        count += int(real.sum())
    return total / count


def retention(base_nll: float, nll: float) -> float:
    """exp(NLL of the base - NLL of the model): by how much a token has become likelier, 1 if unchanged."""
    return math.exp(base_nll - nll)
