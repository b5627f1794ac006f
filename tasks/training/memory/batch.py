"""How much of the rows a training step holds at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deploy.engines.prefix import common_prefix

if TYPE_CHECKING:
    from tasks.training.schedule import Schedule


class LoadRow(Protocol):
    """A row as tokens, the last of which count in the loss."""

    @property
    def input_ids(self) -> tuple[int, ...]:
        """All of its tokens."""

    @property
    def answer_tokens(self) -> int:
        """How many of them count in the loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A batch: its `rows` of `length` tokens with padding, and how many of the tokens count in the loss.

    `tokens` is how many run through the layers where these take a batch as one sequence, without padding
    and with the common beginning once.
    """

    rows: int
    length: int
    answers: int
    tokens: int

    @classmethod
    def full(cls, *, rows: int, length: int, answers: int) -> "Load":
        """A batch of rows of one length that have nothing in common."""
        return cls(rows=rows, length=length, answers=answers, tokens=rows * length)


def heaviest(rows: Sequence[LoadRow], plan: "Schedule", *, batch_size: int) -> Load:
    """The batch of the plan that needs the most memory."""
    order = [rows[place] for place in plan.order]
    batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    return max(map(_load, batches), key=lambda load: (load.rows * load.length + load.tokens, load.answers))


def _load(batch: Sequence[LoadRow]) -> Load:
    lengths = [len(row.input_ids) for row in batch]
    once = common_prefix([row.input_ids for row in batch]) * (len(batch) - 1)
    return Load(
        rows=len(batch),
        length=max(lengths),
        answers=sum(row.answer_tokens for row in batch),
        tokens=sum(lengths) - once,
    )
