"""Trains a reward model on judged answers, and measures how often it prefers the better one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer
from tasks.errors import TrainingError
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.methods.parts.files import save_adapter
from tasks.methods.parts.targets import layers_of
from tasks.rows.grounding import ground_preferences
from tasks.rows.records import Preference
from tasks.rows.reports import Report
from tasks.rows.sampling import stratified
from tasks.training.counterfactuals import counterfactual_preferences, twin_groups
from tasks.training.rewards.comparisons import comparisons, differences
from tasks.training.rewards.gate import write_gate
from tasks.training.rewards.model import load_reward_model, new_reward_model, train_only
from tasks.training.rewards.pairs import Pairs, balanced, counted, scaled, tokenise
from tasks.training.rewards.quality import quality, shortcomings
from tasks.training.schedule import schedule
from tasks.training.settings import RewardSettings
from tasks.training.trained import Trained
from tasks.training.trainers import BEST, train

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
    from tasks.methods.layers.fused_lora import fuse_lora
    from tasks.training.rewards.trainer import reward_trainer
    from tasks.training.watching import best_evaluation

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
    checked = comparisons(validation.rows, longest=longest)
    plan = schedule(
        [len(row) for row in rows],
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        seed=run.seed,
        together=twin_groups([pairs.examples[row.judged[0].place].preference.id for row in rows]),
    )
    model = new_reward_model(base, sft, device)
    layers = layers_of(model, settings.trained_layers)
    trainable = train_only(model, layers)
    fuse_lora(model)
    trainer = reward_trainer(
        model,
        tokenizer,
        rows,
        checked,
        plan=plan,
        settings=settings,
        run=run,
        device=device,
        work=work,
    )
    train(trainer)
    history = trainer.state.log_history
    figures: dict[str, Any] = {
        **device.figures(),
        "steps": trainer.state.global_step,
        "trainable_parameters": trainable,
        "trained_layers": len(layers),
        "labels": dict(sorted(Counter(row.label for row in chosen).items())),
        "rows": len(rows),
        "tokens": sum(len(rows[row]) for row in plan.until(trainer.state.global_step)),
    }
    if checked:
        step = best_evaluation(history, by="eval_accuracy")[0]
        best = load_reward_model(base, work / BEST, device)
        # A run that went on after a kill may not have seen the best evaluation itself.
        known = trainer.differences.get(step) or differences(best, checked)
        figures |= {"best_step": step, "validation": quality(_in_order(known), pairs, validation)}
        if test.rows:
            measured = differences(best, comparisons(test.rows, longest=longest))
            figures["test"] = quality(_in_order(measured), pairs, test)
    else:
        save_adapter(model, work / BEST)
    figures["shortcomings"] = shortcomings(figures.get("validation"))
    write_gate(work / BEST, figures["shortcomings"] if settings.gate else [])
    counts = counted(own, entered=len(preferences), unused=len(preferences) - len(chosen))
    if hidden:
        counts += counted(twins, entered=len(hidden), kind="counterfactual")
    return Trained(
        adapter=work / BEST,
        curve=curve_lines(history),
        report=Report(stage="reward", rows=counts, figures=figures),
    )


def curve_lines(history: Sequence[dict[str, Any]]) -> str:
    """The curve as CSV: one line a step, with the accuracy on validation pairs where it was measured."""
    checks = {entry["step"]: entry["eval_accuracy"] for entry in history if "eval_accuracy" in entry}
    lines = ["step,loss,validation_accuracy"]
    for entry in history:
        if "loss" in entry:
            check = f"{checks[entry['step']]:.6f}" if entry["step"] in checks else ""
            lines.append(f"{entry['step']},{entry['loss']:.6f},{check}")
    return "\n".join(lines) + "\n"


def _tokens(
    rows: Sequence[Preference],
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    settings: RewardSettings,
) -> Pairs:
    return tokenise(ground_preferences(rows, assistant), tokenizer, max_length=settings.max_length)


def _in_order(found: dict[int, float]) -> list[float]:
    """What was found of each pair, by its number."""
    return [found[place] for place in sorted(found)]
