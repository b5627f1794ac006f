"""Trains a reward model on judged answers, and measures how often it prefers the better one."""

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer
from tasks.errors import TrainingError
from tasks.machine.device import Device, set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.grounding import ground_preferences
from tasks.rows.learned import write_learned
from tasks.rows.records import Learned, Preference
from tasks.rows.reports import Report
from tasks.rows.sampling import stratified
from tasks.training.counterfactuals import counterfactual_preferences, twin_groups
from tasks.training.rewards.comparisons import Comparison, comparisons, differences
from tasks.training.rewards.ensemble import lowest_scores
from tasks.training.rewards.gate import write_gate
from tasks.training.rewards.lesson import Lesson, curve_lines, learn
from tasks.training.rewards.model import member
from tasks.training.rewards.pairs import Pairs, balanced, counted, scaled, tokenise
from tasks.training.rewards.quality import quality, shortcomings
from tasks.training.settings import RewardSettings
from tasks.training.traces import traced
from tasks.training.trained import Trained

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROW = 2  # times `max_length`: the longest row of several pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """The pairs that were `given`, of which some are drawn, and those of `sampled` answers, which all are."""

    given: Sequence[Preference]
    sampled: Sequence[Preference] = ()

    def __len__(self) -> int:
        return len(self.given) + len(self.sampled)

    def drawn(self, count: int, *, seed: int) -> list[Preference]:
        """At most `count` of the given pairs, each flaw in its share."""
        return stratified(self.given, count, key=attrgetter("flaw"), seed=seed)


def learn_rewards(
    preferences: Opinions,
    held_out: Opinions,
    unseen: Opinions,
    assistant: Assistant,
    base: Path,
    sft: Path,
    *,
    work: Path,
    run: RunSettings,
    settings: RewardSettings,
) -> Trained:
    """The reward model that `preferences` teach, starting from `sft`; `work` keeps states to go on from.

    The best state is chosen by pairs that are `held_out`; those `unseen` (of the test split) have no say in
    it and are measured once, at the end.

    Raises:
        TrainingError: there are no pairs to train on, the sft adapter does not fit, or the loss is no number.
    """
    device = set_up_torch(run)
    tokenizer = load_tokenizer(base)
    drawn = preferences.drawn(settings.max_rows, seed=run.seed)
    hidden = counterfactual_preferences(drawn, settings.counterfactuals, seed=run.seed)
    chosen = [*drawn, *preferences.sampled]
    own, twins, validation, test = (
        _tokens(rows, assistant, tokenizer, settings)
        for rows in (
            chosen,
            hidden,
            [*held_out.drawn(settings.validation_rows, seed=run.seed), *held_out.sampled],
            unseen.drawn(settings.test_rows, seed=run.seed),
        )
    )
    pairs = own + twins
    if not pairs.rows:
        raise TrainingError(
            f"of {len(preferences)} training preferences none can be trained on ({pairs.dropped}); "
            "add preferences or raise reward.max_length"
        )
    pairs.require_few_cut(limit=settings.max_cut, max_length=settings.max_length)
    longest = ROW * settings.max_length
    rows = comparisons(
        scaled(pairs.rows, settings.margin),
        longest=longest,
        weights=balanced(pairs.rows) if settings.balance_length else None,
    )
    lesson = Lesson(
        rows=rows,
        checked=comparisons(validation.rows, longest=longest),
        together=twin_groups([pairs.examples[row.judged[0].place].preference.id for row in rows]),
    )
    learnt = [
        learn(
            lesson,
            base,
            sft,
            tokenizer,
            work=member(work, number),
            run=run.model_copy(update={"seed": run.seed + number}),
            settings=settings,
        )
        for number in range(settings.members)
    ]
    first, *others = learnt
    for number, each in enumerate(others, start=1):
        shutil.copytree(each.folder, member(first.folder, number), dirs_exist_ok=True)
    figures: dict[str, Any] = {
        **device.figures(),
        "steps": sum(each.steps for each in learnt),
        "members": len(learnt),
        "trainable_parameters": first.trainable,
        "trained_layers": first.layers,
        "labels": dict(sorted(Counter(row.label for row in chosen).items())),
        "rows": len(rows),
        "tokens": sum(each.tokens for each in learnt),
    }
    if lesson.checked:
        # A run that went on after a kill may not have seen the best evaluation itself.
        known = {} if others else first.differences
        known = known or _measured(lesson.checked, first.folder, base, device)
        figures |= {"best_step": first.best_step, "validation": quality(_in_order(known), pairs, validation)}
        if test.rows:
            measured = _measured(comparisons(test.rows, longest=longest), first.folder, base, device)
            figures["test"] = quality(_in_order(measured), pairs, test)
    figures["shortcomings"] = shortcomings(figures.get("validation"))
    write_learned(first.folder, _taught(rows, chain.from_iterable(each.order for each in learnt), own, twins))
    write_gate(first.folder, figures["shortcomings"] if settings.gate else [])
    counts = counted(own, entered=len(preferences), unused=len(preferences) - len(chosen))
    if hidden:
        counts += counted(twins, entered=len(hidden), kind="counterfactual")
    return Trained(
        adapter=first.folder,
        curve=curve_lines(first.history),
        report=Report(stage="reward", rows=counts, figures=figures),
    )


def _tokens(
    rows: Sequence[Preference],
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    settings: RewardSettings,
) -> Pairs:
    return tokenise(ground_preferences(rows, assistant), tokenizer, max_length=settings.max_length)


def _taught(rows: Sequence[Comparison], order: Iterable[int], own: Pairs, twins: Pairs) -> list[Learned]:
    """The pairs that training has reached, which stand in rows, over all models."""
    reached = Counter(each.place for row in order for each in rows[row].judged)
    told = [(pair.preference, reached[place]) for place, pair in enumerate((own + twins).examples)]
    count = len(own.examples)
    return [
        *traced(told[:count], kind="preference"),
        *traced(told[count:], kind="preference", twins=True),
    ]


def _measured(rows: Sequence[Comparison], folder: Path, base: Path, device: Device) -> dict[int, float]:
    """By how much the better answer of each pair scores higher, by its number."""
    return differences(rows, lowest_scores(base, folder, rows, device))


def _in_order(found: dict[int, float]) -> list[float]:
    """What was found of each pair, by its number."""
    return [found[place] for place in sorted(found)]
