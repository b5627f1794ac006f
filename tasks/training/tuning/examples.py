"""What a run of `sft` trains on: grounded rows, their twins and companions, and those it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from deploy.assistant import Assistant
from tasks.errors import TrainingError
from tasks.rows.grounding import Grounded, compose, ground, ground_over
from tasks.rows.records import Document, Example, Learned
from tasks.rows.reports import RowCount
from tasks.rows.sampling import stratified
from tasks.training.counterfactuals import SUFFIX, counterfactuals, twin_groups
from tasks.training.schedule import Schedule, schedule
from tasks.training.settings import SftSettings
from tasks.training.tuning.companions import BETWEEN, Companions, context_groups
from tasks.training.tuning.documents import DOCUMENTS, packed_documents
from tasks.training.tuning.learned import LearnedRows, Parts, learned_rows, left_out, parts_of, without_room
from tasks.training.tuning.replay import Replay, apart, not_replayed
from tasks.training.tuning.tokens import OVER, Tokenised, counted, tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExamples:
    """The rows of the task, and those of validation.

    `training` are all rows to train on, counterfactual ones included; `general` are the user's own general
    examples, which are replayed and not learned from as those; `counts` says what became of every example.
    `parts` tells of each row to train on what it comes from, and `others` are rows that none comes from.
    """

    training: Tokenised
    validation: Tokenised
    general: Sequence[Example]
    counts: list[RowCount]
    parts: Sequence[Parts]
    others: Sequence[Learned]

    def learned(self, general: Replay, order: Sequence[int]) -> LearnedRows:
        """What became of every row, once training has reached `order` of these rows and the general ones."""
        return learned_rows(
            [*self.parts, *parts_of(general.rows)],
            order,
            others=[*self.others, *not_replayed(self.general, general)],
            counts=self.counts + general.counts,
        )


def training_examples(
    examples: Sequence[Example],
    held_out: Sequence[Example],
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    settings: SftSettings,
    seed: int,
    documents: Sequence[Document] = (),
) -> TrainingExamples:
    """The rows that `settings` choose: `examples` as `assistant` shows them to the model, or `documents`.

    Raises:
        TrainingError: there is nothing to train on, or too much of it is cut.
    """
    task, general = apart(examples)
    if settings.rows == DOCUMENTS:
        packed = packed_documents(documents, tokenizer, settings=settings, seed=seed)
        return TrainingExamples(
            training=packed.training,
            validation=packed.validation,
            general=general,
            counts=packed.counts,
            parts=packed.parts,
            others=packed.others,
        )
    chosen = stratified(task, settings.max_rows, key=attrgetter("task"), seed=seed)
    checked = stratified(held_out, settings.validation_rows, key=attrgetter("task"), seed=seed)
    hidden = counterfactuals(chosen, settings.counterfactuals, seed=seed)
    companions = Companions(task, seed=seed) if settings.companions else None
    led = with_companions(chosen, assistant, companions, settings.companions)
    without = with_companions(hidden, assistant, companions, settings.companions)
    hiding = [_twin(each) for each in without.leads]
    further = led.companions + without.companions
    own, twins, beside, validation = (
        tokenise(part, tokenizer, max_length=settings.max_length)
        for part in (
            led.leads,
            hiding,
            further,
            ground(checked, assistant),
        )
    )
    training = own + twins + beside
    if not training.rows:
        raise TrainingError(
            f"of {len(task)} training examples none can be trained on "
            f"({training.no_room} have a prompt of max_length or more); add rows or raise sft.max_length"
        )
    training.require_few_cut(limit=settings.max_cut, max_length=settings.max_length)
    counts = counted(own, entered=len(task), unused=len(task) - len(chosen))
    if hidden:
        counts += counted(twins, entered=len(hidden), kind="counterfactual")
    if companions:
        counts += counted(beside, entered=len(further), kind="companion")
    return TrainingExamples(
        training=training,
        validation=validation,
        general=general,
        counts=counts,
        parts=parts_of(training),
        others=[
            *left_out(task, {row.id for row in chosen}, OVER),
            *without_room([*led.leads, *hiding, *further], training),
        ],
    )


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
        together=_together([row.example.id for row in rows.examples], settings),
    )
    return plan if tokens is None else plan.within(tokens, lengths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """Rows over their own sources, and their companions."""

    leads: list[Grounded]
    companions: list[Grounded]


def with_companions(
    rows: Sequence[Example], assistant: Assistant, companions: Companions | None, count: int
) -> Led:
    """`rows` over what is found for each, and at most `count` further questions over the same."""
    prompts = compose(rows, assistant)
    led = Led(leads=[], companions=[])
    for row, prompt in zip(rows, prompts, strict=True):
        led.leads.extend(ground_over([row], prompt, assistant))
        beside = companions.of(row, prompt.sources, count) if companions else []
        named = [replace(each, id=f"{each.id}{BETWEEN}{row.id}") for each in beside]
        led.companions.extend(
            replace(grounded, origin=each.id, form="companion")
            for each, grounded in zip(beside, ground_over(named, prompt, assistant), strict=True)
        )
    return led


def _twin(hidden: Grounded) -> Grounded:
    """A counterfactual row that says of which it is the twin."""
    return replace(hidden, origin=hidden.example.id.removesuffix(SUFFIX), form="counterfactual")


def _together(names: Sequence[str], settings: SftSettings) -> list[list[int]]:
    """The rows that stay together: those over the same sources, else a row with its counterfactual."""
    return context_groups(names) if settings.companions else twin_groups(names)
