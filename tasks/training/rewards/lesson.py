"""One training of a reward model on comparisons, from the fine-tuned adapter to its best state."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.methods.parts.files import save_adapter
from tasks.methods.parts.targets import layers_of
from tasks.training.rewards.comparisons import Comparison
from tasks.training.rewards.model import new_reward_model, train_only
from tasks.training.schedule import schedule
from tasks.training.settings import RewardSettings
from tasks.training.trainers import BEST, train

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is learned from and by what the best state is chosen; rows that belong `together` stay so."""

    rows: Sequence[Comparison]
    checked: Sequence[Comparison]
    together: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """The best state in its `folder`, and how the training went.

    `order` has the rows that were trained on, repeated as often as they were. `differences` tells of that
    state by how much the better answer of each checked pair scores higher; empty where it was found before
    the run was killed, and where nothing is checked.
    """

    folder: Path
    steps: int
    order: Sequence[int]
    best_step: int | None
    tokens: int
    trainable: int
    layers: int
    history: Sequence[dict[str, Any]]
    differences: dict[int, float]


def learn(
    lesson: Lesson,
    base: Path,
    sft: Path,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    work: Path,
    run: RunSettings,
    settings: RewardSettings,
) -> Learnt:
    """Train on `lesson`, from the checkpoint in `work` on if there is one. The head and the order are seeded.

    Raises:
        TrainingError: the sft adapter does not fit, or the loss is no number.
    """
    from tasks.methods.layers.fused_lora import fuse_lora
    from tasks.training.rewards.trainer import reward_trainer
    from tasks.training.watching import best_evaluation

    plan = schedule(
        [len(row) for row in lesson.rows],
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        seed=run.seed,
        together=lesson.together,
    )
    device = set_up_torch(run)
    model = new_reward_model(base, sft, device)
    layers = layers_of(model, settings.trained_layers)
    trainable = train_only(model, layers)
    fuse_lora(model)
    trainer = reward_trainer(
        model,
        tokenizer,
        lesson.rows,
        lesson.checked,
        plan=plan,
        settings=settings,
        run=run,
        device=device,
        work=work,
    )
    train(trainer)
    history = trainer.state.log_history
    step = best_evaluation(history, by="eval_accuracy")[0] if lesson.checked else None
    if step is None:
        save_adapter(model, work / BEST)
    order = plan.until(trainer.state.global_step)
    return Learnt(
        folder=work / BEST,
        steps=trainer.state.global_step,
        order=order,
        best_step=step,
        tokens=sum(len(lesson.rows[row]) for row in order),
        trainable=trainable,
        layers=len(layers),
        history=history,
        differences={} if step is None else trainer.differences.get(step, {}),
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
