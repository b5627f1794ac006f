"""Answers of a policy as they would be served: it abstains by a threshold on its chance of doing so.

`calibrate` gives each model a threshold of its own, so what a state brings shows beside the threshold that
suits it. By its likeliest answers a state that has only moved its chances of abstaining looks better, or
worse, than a server will find it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers.cache_utils import Cache

from deploy.engines.abstaining import Abstaining, Gate, Gating, evidence
from tasks.training.branches import PADDING, PROMPT
from tasks.training.reinforcement.rollouts import Group, in_batches, sample
from tasks.training.split_decoder import SplitDecoder

NEVER = Abstaining(threshold=1.0)
WEIGHTS = (0.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # of coverage, in log-odds, as `calibrate` may choose them


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """What a policy says to a prompt where it may not abstain, its abstention, and the chance of that."""

    answering: Group
    abstaining: Group
    chance: float


class Unsaid:
    """Reads the chance of a sentence beside prompts that `sample` decodes, and keeps it from being said."""

    def __init__(self, sentence: Sequence[int]) -> None:
        self.sentence = tuple(sentence)
        self.chances: list[float] = []
        self.states = torch.empty(0)  # of the sentence behind each prompt at the cut, [rows, tokens, width]
        self._gating: Gating | None = None

    def read(
        self, decoder: SplitDecoder, cache: Cache, *, lengths: Tensor, branch: Tensor, logits: Tensor
    ) -> Tensor:
        """Run the sentence behind each prompt; `branch` with its places, which no response may see.

        Args:
            decoder: with the prompts in `cache`.
            cache: has room for the sentence.
            lengths: of the prompts, [rows].
            branch: whose the places in the cache are, [rows, places].
            logits: of the first token of an answer, [rows, vocabulary].
        """
        rows, size, device = len(lengths), len(self.sentence), lengths.device
        said = torch.tensor(self.sentence, device=device).expand(rows, -1)
        earlier = torch.ones(size, size, dtype=torch.bool, device=device).tril().expand(rows, -1, -1)
        prompt = (branch == PROMPT).unsqueeze(1).expand(-1, size, -1)
        where = {
            "positions": lengths.unsqueeze(1) + torch.arange(size, device=device),
            "mask": torch.cat([prompt, earlier], dim=2).unsqueeze(1),
        }
        self.states = decoder.lower(said, cache=cache, **where)
        final = decoder.upper(self.states, cache=cache, **where)
        before = torch.cat([logits.unsqueeze(1), decoder.logits(final[:, :-1])], dim=1)
        chosen = torch.log_softmax(before.float(), dim=-1).gather(2, said.unsqueeze(2)).squeeze(2)
        self.chances = chosen.sum(dim=1).exp().tolist()
        gate = Gate(tokens=self.sentence, rule=NEVER, coverage=(0.0,) * rows)
        self._gating = Gating(gate, self.chances)
        return torch.cat([branch, torch.full((rows, size), PADDING, device=device)], dim=1)

    def steered(self, rows: Sequence[int], logits: Tensor) -> Tensor:
        """The logits [rows, 1, vocabulary] of these rows, without what would lead to the sentence."""
        assert self._gating is not None
        return self._gating.steered(rows, logits.squeeze(1)).unsqueeze(1)

    def follow(self, rows: Sequence[int], tokens: Tensor) -> None:
        """Note what each row has said, [rows, 1]."""
        assert self._gating is not None
        self._gating.follow(rows, tokens.squeeze(1).tolist())


def either(
    decoder: SplitDecoder,
    prompts: Sequence[Sequence[int]],
    sentence: Sequence[int],
    *,
    rows: int,
    end: int,
    max_new_tokens: int,
) -> list[Either]:
    """The likeliest answer of the active model to each prompt, in order, and the abstention `sentence`."""

    def of_part(part: Sequence[Sequence[int]]) -> list[Either]:
        unsaid = Unsaid(sentence)
        groups = sample(
            decoder,
            part,
            responses=1,
            end=end,
            max_new_tokens=max_new_tokens,
            temperature=0.0,
            generator=torch.Generator(),
            unsaid=unsaid,
        )
        return [
            Either(
                answering=group,
                abstaining=Group(
                    prompt=group.prompt,
                    responses=(unsaid.sentence,),
                    ended=(True,),
                    states=torch.cat([group.states[: len(group.prompt)], states]),
                ),
                chance=chance,
            )
            for group, states, chance in zip(groups, unsaid.states, unsaid.chances, strict=True)
        ]

    return in_batches(prompts, rows, of_part)


def abstains_best(
    chances: Sequence[float],
    coverage: Sequence[float],
    *,
    abstaining: Sequence[float],
    answering: Sequence[float],
) -> list[bool]:
    """Where a model abstains by the rule under which its scores are the greatest, for each prompt.

    The rule is one of `deploy.engines.abstaining`: from a threshold on, which may rise with the coverage. It
    is chosen by the very scores that it makes, which flatters all models alike.

    Args:
        chances: of the abstention.
        coverage: of the question by the sources, in 0..1.
        abstaining: what is scored by abstaining.
        answering: what is scored by answering.
    """
    gain = np.asarray(abstaining, dtype=np.float64) - np.asarray(answering, dtype=np.float64)
    seen = list(zip(chances, coverage, strict=True))
    best, said = -np.inf, np.zeros(len(gain), dtype=bool)
    for weight in WEIGHTS:
        speaks = np.array([evidence(*each, coverage_weight=weight) for each in seen])
        for threshold in (np.inf, *np.unique(speaks)[::-1]):
            abstained = speaks >= threshold
            if (found := gain[abstained].sum()) > best + 1e-9:  # of equal ones the first: it abstains least
                best, said = found, abstained
    return [bool(each) for each in said]
