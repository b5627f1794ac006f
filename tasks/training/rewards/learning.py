"""Trains a reward model on pairs of answers, and measures how often it prefers the better one."""

from collections import defaultdict
from collections.abc import Sequence
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
from tasks.training.rewards.baselines import baselines
from tasks.training.rewards.model import load_reward_model, new_reward_model, scores, train_only
from tasks.training.rewards.pairs import Pairs, TokenPair, counted, tokenise
from tasks.training.schedule import schedule
from tasks.training.settings import RewardSettings
from tasks.training.trained import Trained
from tasks.training.trainers import BEST, train

if TYPE_CHECKING:
    from peft import PeftModel


def learn_rewards(
    preferences: Sequence[Preference],
    held_out: Sequence[Preference],
    assistant: Assistant,
    base: Path,
    sft: Path,
    *,
    work: Path,
    run: RunSettings,
    settings: RewardSettings,
) -> Trained:
    """The reward model that `preferences` teach, starting from `sft`; `work` keeps the states to go on from.

    Raises:
        TrainingError: there are no pairs to train on, the sft adapter does not fit, or the loss is no number.
    """
    from tasks.methods.layers.fused_lora import fuse_lora
    from tasks.training.rewards.trainer import reward_trainer
    from tasks.training.watching import best_evaluation

    device = set_up_torch(run)
    chosen = stratified(preferences, settings.max_rows, key=attrgetter("flaw"), seed=run.seed)
    checked = stratified(held_out, settings.validation_rows, key=attrgetter("flaw"), seed=run.seed)
    tokenizer = load_tokenizer(base)
    hidden = counterfactual_preferences(chosen, settings.counterfactuals, seed=run.seed)
    own, twins = (
        tokenise(ground_preferences(part, assistant), tokenizer, max_length=settings.max_length)
        for part in (chosen, hidden)
    )
    pairs = own + twins
    validation = tokenise(ground_preferences(checked, assistant), tokenizer, max_length=settings.max_length)
    if not pairs.rows:
        raise TrainingError(
            f"of {len(preferences)} training preferences none can be trained on ({pairs.dropped}); "
            "add preferences or raise reward.max_length"
        )
    pairs.require_few_cut(limit=settings.max_cut, max_length=settings.max_length)
    plan = schedule(
        [len(row) for row in pairs.rows],
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        seed=run.seed,
        together=twin_groups([pair.preference.id for pair in pairs.examples]),
    )
    model = new_reward_model(base, sft, device)
    layers = layers_of(model, settings.trained_layers)
    trainable = train_only(model, layers)
    fuse_lora(model)
    trainer = reward_trainer(
        model,
        tokenizer,
        pairs.rows,
        validation.rows,
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
        "labels": _labels(chosen),
        "tokens": sum(len(pairs.rows[row]) for row in plan.until(trainer.state.global_step)),
    }
    if validation.rows:
        step = best_evaluation(history)[0]
        # A run that went on after a kill may not have seen the best evaluation itself.
        right = trainer.outcomes.get(step) or ranked(
            load_reward_model(base, work / BEST, device), validation.rows
        )
        figures |= {"best_step": step, **quality(right, pairs, validation)}
    else:
        save_adapter(model, work / BEST)
    counts = counted(own, entered=len(preferences), unused=len(preferences) - len(chosen))
    if hidden:
        counts += counted(twins, entered=len(hidden), kind="counterfactual")
    return Trained(
        adapter=work / BEST,
        curve=curve_lines(history),
        report=Report(stage="reward", rows=counts, figures=figures),
    )


def ranked(model: "PeftModel", pairs: Sequence[TokenPair]) -> list[bool]:
    """Whether the better answer of each pair scores higher; each has a row of its own, as rollouts have."""
    found = scores(model, [sequence for pair in pairs for sequence in pair.sequences])
    return [better > worse for better, worse in zip(found[::2], found[1::2], strict=True)]


def quality(right: Sequence[bool], training: Pairs, validation: Pairs) -> dict[str, Any]:
    """Accuracy on the validation pairs with its interval and by flaw, beside the rules that it must beat."""
    from scipy.stats import binomtest

    accuracy = sum(right) / len(right)
    low, high = binomtest(sum(right), len(right)).proportion_ci(method="wilson")
    return {
        "validation_pairs": len(right),
        "validation_dropped": {reason: count for reason, count in validation.dropped.items() if count},
        "accuracy": round(accuracy, 4),
        "interval": [round(low, 4), round(high, 4)],
        "by_flaw": _by_flaw(validation.rows, right),
        "baselines": baselines(training.examples, validation.examples),
    }


def curve_lines(history: Sequence[dict[str, Any]]) -> str:
    """The curve as CSV: one line a step, with the accuracy on validation pairs where it was measured."""
    checks = {entry["step"]: entry["eval_accuracy"] for entry in history if "eval_accuracy" in entry}
    lines = ["step,loss,validation_accuracy"]
    for entry in history:
        if "loss" in entry:
            check = f"{checks[entry['step']]:.6f}" if entry["step"] in checks else ""
            lines.append(f"{entry['step']},{entry['loss']:.6f},{check}")
    return "\n".join(lines) + "\n"


def _by_flaw(pairs: Sequence[TokenPair], right: Sequence[bool]) -> dict[str, dict[str, float]]:
    flaws: dict[str, list[bool]] = defaultdict(list)
    for pair, value in zip(pairs, right, strict=True):
        flaws[pair.flaw].append(value)
    return {
        flaw: {"pairs": len(values), "accuracy": round(sum(values) / len(values), 4)}
        for flaw, values in sorted(flaws.items())
    }


def _labels(preferences: Sequence[Preference]) -> dict[str, int]:
    """How many of the pairs were judged by people, and how many were made."""
    return {kind: sum(row.label == kind for row in preferences) for kind in ("human", "synthetic")}
