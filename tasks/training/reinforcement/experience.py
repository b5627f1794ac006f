"""What is known of a set of rollouts before the policy learns from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.algorithms.losses import chosen_logprobs, divergence, entropy
from tasks.training.reinforcement.rollouts import Group, collate

MICRO_ROWS = 4  # groups that run at once: little padding, and the states of a few rows stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """Groups of rollouts and what the models say of them; tensors are [rollouts, tokens], 0 where padded.

    `logprobs` and `reference` are those of the sampled tokens, `divergence` and `entropy` those of the whole
    distributions they were drawn from; `scores` [rollouts] are what the responses are worth.
    """

    groups: tuple[Group, ...]
    mask: Tensor
    logprobs: Tensor
    reference: Tensor
    divergence: Tensor
    entropy: Tensor
    values: Tensor
    scores: Tensor

    @property
    def size(self) -> int:
        """How many responses each group has."""
        return len(self.mask) // len(self.groups)

    @property
    def ended(self) -> Tensor:
        """Which responses ended by themselves, [rollouts]."""
        return torch.tensor(
            [ended for group in self.groups for ended in group.ended], device=self.mask.device
        )

    def members(self, groups: Sequence[int]) -> list[int]:
        """The rollouts of these groups, in order."""
        return [group * self.size + member for group in groups for member in range(self.size)]

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
        return float(self.ended.float().mean())

    @property
    def repetition(self) -> float:
        """The share of three tokens in a row that the same response has had before; 0 where all are new."""
        seen = distinct = 0
        for group in self.groups:
            for response in group.responses:
                threes = list(zip(response, response[1:], response[2:], strict=False))
                seen, distinct = seen + len(threes), distinct + len(set(threes))
        return 1.0 - distinct / seen if seen else 0.0


@torch.no_grad()
def rewarded(actors: Actors, groups: Sequence[Group]) -> Tensor:
    """The reward model's score of each response, [rollouts], group by group."""
    parted = list(micro_batches(groups, range(len(groups))))
    scores = actors.rewards([collate([groups[row] for row in rows]) for rows in parted])
    return scores[_order(parted, len(groups[0].responses)).to(scores.device)]


@torch.no_grad()
def experience(actors: Actors, groups: Sequence[Group], scores: Tensor, *, temperature: float) -> Experience:
    """The rollouts of groups of equal size as policy, reference and value head see them.

    Distributions are those of the logits divided by `temperature`: the ones that were sampled from. `scores`
    [rollouts] are what the responses are worth. Without a value head values are 0.
    """
    parted = list(micro_batches(groups, range(len(groups))))
    batches = [collate([groups[row] for row in rows]) for rows in parted]
    with actors.activate("policy"):
        policy = [actors.before_tokens(batch) for batch in batches]
    with actors.activate("reference"):
        reference = [actors.before_tokens(batch) for batch in batches]
    parts: dict[str, list[Tensor]] = {}
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
    order = _order(parted, len(groups[0].responses)).to(scores.device)
    padded = {name: pad_sequence(tensors, batch_first=True)[order] for name, tensors in parts.items()}
    return Experience(groups=tuple(groups), scores=scores, **padded)


def _order(parted: Sequence[Sequence[int]], size: int) -> Tensor:
    """Where the rollouts of each group stand if those of the groups `parted` follow each other."""
    places = torch.tensor([row for rows in parted for row in rows]).unsqueeze(1) * size + torch.arange(size)
    return places.flatten().argsort()


def micro_batches(
    groups: Sequence[Group], rows: Sequence[int], size: int = MICRO_ROWS
) -> Iterator[list[int]]:
    """`rows` in groups of about one length, so that little is padded."""
    ordered = sorted(rows, key=lambda row: (len(groups[row].states), row))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
