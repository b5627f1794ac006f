"""What is known of a set of rollouts before the policy learns from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.rlhf.losses import chosen_logprobs, divergence, entropy
from tasks.rlhf.policy import Actors
from tasks.rlhf.rollouts import Rollout, collate

MICRO_ROWS = 4  # rows that run at once: little padding, and the states of a few rows stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """Rollouts and what the models say of them; tensors are [rollouts, response tokens], 0 behind those.

    `logprobs` and `reference` are those of the sampled tokens, `divergence` and `entropy` those of the whole
    distributions they were drawn from; `scores` [rollouts] are the reward model's.
    """

    rollouts: tuple[Rollout, ...]
    mask: Tensor
    logprobs: Tensor
    reference: Tensor
    divergence: Tensor
    entropy: Tensor
    values: Tensor
    scores: Tensor

    @property
    def kl(self) -> float:
        """The mean divergence of a response from the reference policy, in nats."""
        return float(self.divergence.sum(dim=1).mean())

    @property
    def kl_token(self) -> float:
        """The mean divergence of a token, in nats."""
        return float(self.divergence.sum() / self.mask.sum())

    @property
    def response_length(self) -> float:
        """The mean number of response tokens, the end of turn included."""
        return float(self.mask.sum(dim=1).mean())

    @property
    def ended_share(self) -> float:
        """The share of responses that ended by themselves."""
        return sum(rollout.ended for rollout in self.rollouts) / len(self.rollouts)


@torch.no_grad()
def experience(actors: Actors, rollouts: Sequence[Rollout], *, temperature: float) -> Experience:
    """The rollouts as policy, reference, reward model and value head see them.

    Distributions are those of the logits divided by `temperature`: the ones that were sampled from.
    """
    groups = list(micro_batches(rollouts, range(len(rollouts))))
    batches = [collate([rollouts[row] for row in rows]) for rows in groups]
    with actors.playing("policy"):
        policy = [actors.before_tokens(batch) for batch in batches]
    with actors.playing("reference"):
        reference = [actors.before_tokens(batch) for batch in batches]
    with actors.playing("reward"):
        scores = [actors.scores(batch) for batch in batches]
    parts: dict[str, list[Tensor]] = {"scores": [score for each in scores for score in each]}
    for batch, states, expected_states in zip(batches, policy, reference, strict=True):
        logits = actors.decoder.logits(states) / temperature
        expected = actors.decoder.logits(expected_states) / temperature
        measured = {
            "mask": batch.mask,
            "logprobs": chosen_logprobs(logits, batch.tokens),
            "reference": chosen_logprobs(expected, batch.tokens),
            "divergence": divergence(logits, expected),
            "entropy": entropy(logits),
            "values": actors.values(states),
        }
        for name, tensor in measured.items():
            parts.setdefault(name, []).extend(tensor * batch.mask)
    order = torch.tensor([row for rows in groups for row in rows]).argsort()
    whole = {name: _stack(tensors)[order.to(tensors[0].device)] for name, tensors in parts.items()}
    return Experience(rollouts=tuple(rollouts), **whole)


def micro_batches(
    rollouts: Sequence[Rollout], rows: Sequence[int], size: int = MICRO_ROWS
) -> Iterator[list[int]]:
    """`rows` in groups of about one length, so that little is padded."""
    ordered = sorted(rows, key=lambda row: (rollouts[row].length, row))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _stack(tensors: list[Tensor]) -> Tensor:
    if tensors[0].ndim == 0:
        return torch.stack(tensors)
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
