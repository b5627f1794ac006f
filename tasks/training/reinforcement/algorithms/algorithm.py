"""What every algorithm of RLHF is: typed settings, what it takes from rewarded responses, and its loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from deploy.settings import Section

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience

# Whose answers are learned from: the policy's, those of pairs, or the good ones of the examples.
Source = Literal["samples", "preferences", "answers"]


class AlgorithmSettings(Section):
    """Settings of one algorithm; those of all of them are in the section `rlhf`."""


class Whole(NamedTuple):
    """How much a mini-batch has in all: the losses of its micro-batches add up to a mean over it."""

    groups: int
    responses: int
    tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Responses as the policy sees them now, and as they were sampled; [responses, tokens] unless told.

    Responses lie group by group, `size` to a group. `logprobs` teach the policy, `values` [or None] the value
    head; `entropy` of the next token is there where the settings price it. `sampled`, `reference` and
    `expected` are the log-probabilities and the values from before, `mask` 1.0 at real tokens. `goal` is what
    the algorithm's `goal` made of these responses.
    """

    size: int
    whole: Whole
    mask: "Tensor"
    logprobs: "Tensor"
    sampled: "Tensor"
    reference: "Tensor"
    values: "Tensor | None" = None
    expected: "Tensor | None" = None
    entropy: "Tensor | None" = None
    goal: "dict[str, Tensor]"

    @property
    def token_weights(self) -> "Tensor":
        """The weight of each token in a mean over all tokens of the mini-batch, 0 where padded."""
        return self.mask / self.whole.tokens

    def summed(self, logprobs: "Tensor") -> "Tensor":
        """The log-probability of whole responses, [responses]."""
        return (logprobs * self.mask).sum(dim=1)


class Loss(NamedTuple):
    """What a mini-batch costs, all scalars: `total` teaches, the others are told in the curve.

    `clipped` is the share of what the clipping held back (of tokens, or of responses).
    """

    total: "Tensor"
    policy: "Tensor"
    value: "Tensor"
    clipped: "Tensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One way to learn from responses and what they are worth.

    `goal` takes the experience, the worth of each response [responses] and the settings, and gives tensors
    [responses] or [responses, tokens]. `sources` are the answers that it can learn from; `has_values`: a
    value head learns beside the policy. `after` makes the settings of an update of those in params.yaml and
    the divergences of the updates before it (nats a response).
    """

    name: str
    settings: type[AlgorithmSettings]
    sources: frozenset[Source]
    goal: "Callable[[Experience, Tensor, Any], dict[str, Tensor]]"
    loss: "Callable[[Terms, Any], Loss]"
    has_values: bool = False
    after: "Callable[[Any, Sequence[float]], Any]" = lambda settings, _: settings
