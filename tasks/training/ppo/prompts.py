"""Chooses the prompts that responses are sampled to, with row accounting."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from deploy.assistant import Assistant
from deploy.engines.chat import prompt_ids
from tasks.rows.grounding import ground
from tasks.rows.records import Example
from tasks.rows.reports import RowCount, row_counts
from tasks.rows.sampling import stratified
from tasks.training.lengths import require_few_cut

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NOT_CHOSEN = "over rlhf.updates x prompts sampled an update"
SURE = "the responses to it differ less than those to others"
NOT_REACHED = "training stopped before it"
TOO_LONG = "the prompt leaves no room for a response in rlhf.max_length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Examples with their prompts as served, in tokens; `too_long` of those chosen left no room to answer."""

    examples: tuple[Example, ...]
    tokens: tuple[tuple[int, ...], ...]
    entered: int
    too_long: int

    def require_few_cut(self, *, limit: float, max_length: int) -> None:
        """Refuse prompts of which more than the share `limit` leaves no room to answer.

        Raises:
            TrainingError: there are more.
        """
        require_few_cut(
            "rlhf",
            f"prompts {self.too_long} leave no room for a response in",
            cut=self.too_long,
            whole=len(self.examples) + self.too_long,
            limit=limit,
            max_length=max_length,
        )

    def counted(self, *, reached: int, used: int) -> list[RowCount]:
        """What became of the examples: training `reached` some before it ended, and learned from `used`."""
        return row_counts(
            "example",
            self.entered,
            trained=used,
            dropped={TOO_LONG: self.too_long},
            unused={
                NOT_CHOSEN: self.entered - len(self.examples) - self.too_long,
                NOT_REACHED: len(self.examples) - reached,
                SURE: reached - used,
            },
        )


def choose_prompts(
    examples: Sequence[Example],
    count: int,
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    longest: int,
    seed: int,
) -> Prompts:
    """The prompts of at most `count` examples of each task in its share, with at most `longest` tokens."""
    chosen = stratified(examples, count, key=attrgetter("task"), seed=seed)
    prompts = [tuple(prompt_ids(tokenizer, row.messages)) for row in ground(chosen, assistant)]
    fitting = [place for place, prompt in enumerate(prompts) if len(prompt) <= longest]
    return Prompts(
        examples=tuple(chosen[place] for place in fitting),
        tokens=tuple(prompts[place] for place in fitting),
        entered=len(examples),
        too_long=len(chosen) - len(fitting),
    )
