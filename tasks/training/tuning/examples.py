"""What a run of `sft` trains on: grounded rows, their twins without evidence, and those it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from deploy.assistant import Assistant
from tasks.errors import TrainingError
from tasks.rows.grounding import ground
from tasks.rows.records import Example
from tasks.rows.reports import RowCount
from tasks.rows.sampling import stratified
from tasks.training.counterfactuals import counterfactuals, twin_groups
from tasks.training.schedule import Schedule, schedule
from tasks.training.settings import SftSettings
from tasks.training.tuning.replay import apart
from tasks.training.tuning.tokens import Tokenised, counted, tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExamples:
    """The rows of the task, and those of validation.

    `training` are all rows to train on, counterfactual ones included; `general` are the user's own general
    examples, which are replayed and not learned from as those; `counts` says what became of every example.
    """

    training: Tokenised
    validation: Tokenised
    general: Sequence[Example]
    counts: list[RowCount]


def training_examples(
    examples: Sequence[Example],
    held_out: Sequence[Example],
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    settings: SftSettings,
    seed: int,
) -> TrainingExamples:
    """The rows that `settings` choose of `examples`, as `assistant` shows them to the model.

    Raises:
        TrainingError: there is nothing to train on, or too much of it is cut.
    """
    task, general = apart(examples)
    chosen = stratified(task, settings.max_rows, key=attrgetter("task"), seed=seed)
    checked = stratified(held_out, settings.validation_rows, key=attrgetter("task"), seed=seed)
    hidden = counterfactuals(chosen, settings.counterfactuals, seed=seed)
    own, twins, validation = (
        tokenise(ground(part, assistant), tokenizer, max_length=settings.max_length)
        for part in (chosen, hidden, checked)
    )
    training = own + twins
    if not training.rows:
        raise TrainingError(
            f"of {len(task)} training examples none can be trained on "
            f"({training.no_room} have a prompt of max_length or more); add rows or raise sft.max_length"
        )
    training.require_few_cut(limit=settings.max_cut, max_length=settings.max_length)
    counts = counted(own, entered=len(task), unused=len(task) - len(chosen))
    if hidden:
        counts += counted(twins, entered=len(hidden), kind="counterfactual")
    return TrainingExamples(training=training, validation=validation, general=general, counts=counts)


def planned(
    rows: Tokenised, settings: SftSettings, *, seed: int, by_length: bool, tokens: int | None = None
) -> Schedule:
    """The order in which `rows` are trained on, twins together, ending after `tokens` if that comes first."""
    lengths = [len(row.input_ids) for row in rows.rows]
    plan = schedule(
        lengths,
        batch_size=settings.batch_size,
        accumulation=settings.accumulation,
        epochs=settings.epochs,
        seed=seed,
        by_length=by_length,
        together=twin_groups([row.example.id for row in rows.examples]),
    )
    return plan if tokens is None else plan.within(tokens, lengths)
