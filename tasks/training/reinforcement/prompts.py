"""Chooses the prompts that responses are sampled to, with row accounting."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from deploy.assistant import Assistant
from deploy.engines.chat import answer_ids, prompt_ids
from tasks.rows.grounding import ground
from tasks.rows.records import Example
from tasks.rows.reports import RowCount, row_counts
from tasks.rows.sampling import stratified
from tasks.scoring.scores import checkable
from tasks.training.counterfactuals import counterfactuals
from tasks.training.lengths import require_few_cut
from tasks.training.reinforcement.worth import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NOT_CHOSEN = "over what all updates can sample responses to"
SURE = "all responses to it are worth the same"
NOT_REACHED = "training ended before it"
TOO_LONG = "the prompt leaves no room for a response in rlhf.max_length"
MISSED = "retrieval missed what the answer rests on"
UNCHECKED = "no rule checks the answers of its task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Prompts as served, of examples of one `kind`; `dropped` says why others of those chosen are none."""

    kind: str
    rows: tuple[Prompt, ...]
    entered: int
    chosen: int
    dropped: Mapping[str, int]

    def taught(self) -> "Prompts":
        """The same prompts, each with its good answer, which is not judged against any other."""
        rows = tuple(replace(row, answers=(row.target,), worths=(1.0,)) for row in self.rows)
        return replace(self, rows=rows)

    def require_few_cut(self, *, limit: float, max_length: int) -> None:
        """Refuse prompts of which more than the share `limit` leaves no room to answer.

        Raises:
            TrainingError: there are more.
        """
        require_few_cut(
            "rlhf",
            f"prompts {self.dropped[TOO_LONG]} leave no room for a response in",
            cut=self.dropped[TOO_LONG],
            whole=self.chosen,
            limit=limit,
            max_length=max_length,
        )

    def counted(self, *, reached: Collection[str], used: Collection[str]) -> list[RowCount]:
        """What became of the examples: training `reached` some before it ended, and learned from `used`."""
        names = {row.example.id for row in self.rows}
        trained, seen = len(names.intersection(used)), len(names.intersection(reached))
        return row_counts(
            self.kind,
            self.entered,
            trained=trained,
            dropped=dict(self.dropped),
            unused={
                NOT_CHOSEN: self.entered - self.chosen,
                NOT_REACHED: len(self.rows) - seen,
                SURE: seen - trained,
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
    withheld: Mapping[str, float] | None = None,
    checked: bool = False,
) -> tuple[Prompts, Prompts]:
    """The prompts of at most `count` examples of each task in its share, with at most `longest` tokens.

    The second are twins of the share `withheld` of these prompts by task: the same question without its
    evidence, where the good answer is to abstain. A question whose evidence was not found has no good answer
    to be rewarded, and is left out; where nothing but rules judges (`checked`), so is one whose answer has
    none. Their twins are left out with them: of such a task nothing would be rewarded but abstaining.
    """
    chosen = stratified(examples, count, key=attrgetter("task"), seed=seed)
    prompts = _prompts(
        "example", chosen, len(examples), assistant, tokenizer, longest=longest, checked=checked
    )
    twins = counterfactuals([row.example for row in prompts.rows], withheld or {}, seed=seed)
    return prompts, _prompts(
        "counterfactual", twins, len(twins), assistant, tokenizer, longest=longest, checked=checked
    )


def _prompts(
    kind: str,
    chosen: Sequence[Example],
    entered: int,
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    longest: int,
    checked: bool,
) -> Prompts:
    dropped = {UNCHECKED: 0, MISSED: 0, TOO_LONG: 0}
    rows = []
    for grounded in ground(chosen, assistant):
        tokens = tuple(prompt_ids(tokenizer, grounded.messages))
        if checked and not checkable(grounded.example):
            dropped[UNCHECKED] += 1
        elif grounded.outcome == "missed":
            dropped[MISSED] += 1
        elif len(tokens) > longest:
            dropped[TOO_LONG] += 1
        else:
            target = tuple(answer_ids(tokenizer, grounded.target))
            covered = grounded.coverage or 0.0
            rows.append(Prompt(tokens=tokens, example=grounded.example, target=target, coverage=covered))
    return Prompts(kind=kind, rows=tuple(rows), entered=entered, chosen=len(chosen), dropped=dropped)
