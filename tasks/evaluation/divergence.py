"""How far tuning has moved what a model says to general prompts: the divergence from the base model."""

from pathlib import Path
from typing import TYPE_CHECKING

from deploy.engines.chat import answer_ids, prompt_ids
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tasks.scoring.probe import PROMPTS, passages

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

ANSWER = 32  # tokens: the base's distribution at each of them is kept, over the whole vocabulary
BATCH = 8  # prompts at once, for the same reason


def divergences(
    engine: TransformersEngine, tokenizer: "PreTrainedTokenizerBase", path: Path = PROMPTS
) -> dict[str, list[float]]:
    """For each model of the engine its KL(base || model) in nats a token, prompt by prompt.

    The answers are the base model's own likeliest ones, to prompts without the assistant's instructions.
    Every model is asked at each of their tokens what it would have said there.
    """
    asked = [[Message("user", prompt)] for prompt in passages(path)]
    said = engine.generate(asked, model="base", sampling=Sampling(max_new_tokens=ANSWER))
    rows: list[list[int]] = []
    starts: list[int] = []
    for prompt, answer in zip(asked, said, strict=True):
        opening, tokens = prompt_ids(tokenizer, prompt), answer_ids(tokenizer, answer.text)
        starts.append(len(opening))
        rows.append(opening + (tokens if answer.finished else tokens[:-1]))
    with engine.held("base") as logits:
        base = answer_chances(logits, rows, starts)
    result = {"base": [0.0] * len(rows)}
    for name in engine.models:
        if name != "base":
            with engine.held(name) as logits:
                result[name] = [
                    _divergence(own, other)
                    for own, other in zip(base, answer_chances(logits, rows, starts), strict=True)
                ]
    return result


def answer_chances(
    logits_of: "Callable[[Tensor], Tensor]", rows: list[list[int]], starts: list[int]
) -> "list[Tensor]":
    """For each row the log-probabilities [tokens, vocabulary] of what may stand from its start on."""
    import torch

    result: list[Tensor] = []
    for at in range(0, len(rows), BATCH):
        batch = rows[at : at + BATCH]
        longest = max(map(len, batch))
        # Padding stands on the right, where causal attention cannot see it from a real token.
        padded = torch.tensor([row + [row[-1]] * (longest - len(row)) for row in batch])
        logits = logits_of(padded)
        for place, row in enumerate(batch):
            first = starts[at + place] - 1
            result.append(torch.log_softmax(logits[place, first : len(row) - 1].float().cpu(), dim=-1))
    return result


def _divergence(base: "Tensor", other: "Tensor") -> float:
    if not len(base):  # an answer without any token, which the end of a turn would have been
        return 0.0
    return float((base.exp() * (base - other)).sum(-1).double().mean())
