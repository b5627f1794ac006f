"""What a form of a model makes of an answer that is there: one pass over it, instead of one a token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.chat import answer_ids, prompt_ids
from deploy.messages import Message

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    Logits = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTokens:
    """A prompt and its answer as tokens; the answer begins at `start`."""

    tokens: tuple[int, ...]
    start: int

    @classmethod
    def of(
        cls, messages: Sequence[Message], answer: str, tokenizer: "PreTrainedTokenizerBase"
    ) -> "AnswerTokens":
        """The answer behind the messages that it was given to."""
        prompt = prompt_ids(tokenizer, messages)
        return cls(tokens=(*prompt, *answer_ids(tokenizer, answer)), start=len(prompt))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a form makes of an answer: each token's log-probability, the likeliest one, its lead in nats."""

    chances: "Tensor"
    likeliest: "Tensor"
    leads: "Tensor"


def readings(logits: "Logits", rows: Sequence[AnswerTokens]) -> list[Reading]:
    """What a form makes of each row, read alone: logits of a whole batch would fill the memory."""
    import torch

    found: list[Reading] = []
    for row in rows:
        tokens = torch.tensor([row.tokens])
        chances = logits(tokens)[0, row.start - 1 : -1].float().cpu().log_softmax(-1)
        best = chances.topk(2)
        found.append(
            Reading(
                chances=chances.gather(1, tokens[0, row.start :, None]).squeeze(1),
                likeliest=best.indices[:, 0],
                leads=best.values[:, 0] - best.values[:, 1],
            )
        )
    return found
