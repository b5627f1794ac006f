"""How hard it is for a model to follow a row's instruction: IFD (Li et al. 2023, arXiv:2308.12032).

The loss of the answer with its question, over that of the answer alone. Near 1.0 the question hardly helps,
so there is something to learn; near 0.0 the model can do it. Above 1.0 the question hinders: question and
answer rarely belong together. Both losses are those of the model that is to be tuned, in two forward passes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.chat import answer_ids, prompt_ids
from tasks.rows.records import Example

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH_TOKENS = 1024  # of a batch with its padding; logits take 200 KB a token where there are 50,000 words


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """The mean loss of an answer's `tokens`, in nats: with its question (`given`), and `alone`."""

    given: float
    alone: float
    tokens: int

    @property
    def ratio(self) -> float:
        """IFD; infinite where the answer alone is certain."""
        return self.given / self.alone if self.alone > 0 else math.inf


def difficulties(
    examples: Sequence[Example],
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Difficulty | None]:
    """The difficulty of each example, in order; None for one that is longer than the model's context.

    `progress` is told how many are done. The end of the turn counts as part of an answer, as it does in
    training.
    """
    context = int(model.config.get_text_config().max_position_embeddings)
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    answers = [answer_ids(tokenizer, example.answer) for example in examples]
    prompts = [prompt_ids(tokenizer, example.prompt) for example in examples]
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True)]
    places = sorted(
        (at for at, length in enumerate(lengths) if length <= context), key=lambda at: -lengths[at]
    )
    found: list[Difficulty | None] = [None] * len(examples)
    done = len(examples) - len(places)
    for batch in _batches(places, lengths):
        given = _losses(model, [prompts[at] for at in batch], [answers[at] for at in batch])
        alone = _losses(model, [[first]] * len(batch), [answers[at] for at in batch])
        for at, with_question, by_itself in zip(batch, given, alone, strict=True):
            found[at] = Difficulty(given=with_question, alone=by_itself, tokens=len(answers[at]))
        done += len(batch)
        progress(done)
    return found


def _batches(places: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """The places, the longest first, in batches of bounded size."""
    batches: list[list[int]] = []
    for at in places:
        # The first of a batch is its longest: all others are padded to it.
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= _BATCH_TOKENS:
            batches[-1].append(at)
        else:
            batches.append([at])
    return batches


def _losses(
    model: "PreTrainedModel", prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> list[float]:
    """The mean loss of each answer's tokens behind its prompt."""
    import torch

    from deploy.engines.decoding import read

    rows = [torch.tensor([*prompt, *answer]) for prompt, answer in zip(prompts, answers, strict=True)]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(model.device)
    with torch.inference_mode():
        logits = read(model, padded)
        return [
            float(
                torch.nn.functional.cross_entropy(
                    logits[at, len(prompt) - 1 : len(prompt) + len(answer) - 1].float(),
                    padded[at, len(prompt) : len(prompt) + len(answer)],
                )
            )
            for at, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
        ]
