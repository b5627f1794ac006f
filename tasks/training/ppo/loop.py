"""Runs the updates one after another, and stops where the policy has gone too far from the reference."""

import random
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from tasks.machine.progress import Progress
from tasks.training.ppo.state import load_state, save_state
from tasks.training.ppo.trainer import Trainer, UpdateFigures
from tasks.training.schedule import milestones
from tasks.training.settings import RlhfSettings

Prompt = tuple[int, ...]
Stopped = Literal["finished", "kl_limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PpoResult:
    """How training went: the figures of each update, and why it ended."""

    curve: tuple[UpdateFigures, ...]
    stopped: Stopped


def train(
    trainer: Trainer,
    prompts: Sequence[Prompt],
    settings: RlhfSettings,
    *,
    work: Path,
    saved: Callable[[int], None] = lambda _number: None,
) -> PpoResult:
    """Run the updates that are left; `trainer` ends in the last state whose divergence was within the limit.

    The divergence is measured on the responses that a state samples, so the state after the last update is
    not measured yet: that is for its reader to do.

    Args:
        trainer: what learns.
        prompts: `settings.updates` batches of `settings.drawn_prompts` prompts, one behind the other.
        settings: of the stage.
        work: the folder of the resumable state.
        saved: told the number of each update whose state has just been saved.
    """
    curve = load_state(work, trainer)
    if curve:
        print(f"going on from update {len(curve)} of {settings.updates}", flush=True)
    save_after = milestones(settings.updates, settings.checkpoints)
    progress = Progress(settings.updates, "updates")
    progress.update(len(curve))
    for number in range(len(curve) + 1, settings.updates + 1):
        experience = trainer.sample(batch(prompts, number, settings))
        if experience.kl > settings.kl_limit:
            trainer.restore()
            print(
                f"stopped before update {number}: {experience.kl:.2f} nats a response from the reference, "
                f"the limit is {settings.kl_limit:g}; the state before that is kept",
                flush=True,
            )
            return PpoResult(curve=tuple(curve), stopped="kl_limit")
        trainer.keep()
        curve.append(trainer.update(number, experience))
        progress.update(number, reward=curve[-1].reward, kl=curve[-1].kl, entropy=curve[-1].entropy)
        if number in save_after:
            save_state(work, trainer, curve)
            saved(number)
    return PpoResult(curve=tuple(curve), stopped="finished")


def batch(prompts: Sequence[Prompt], number: int, settings: RlhfSettings) -> Sequence[Prompt]:
    """The prompts that update `number` (from 1) samples responses to."""
    return prompts[(number - 1) * settings.drawn_prompts : number * settings.drawn_prompts]


def in_batches(prompts: Sequence[Prompt], settings: RlhfSettings, *, seed: int) -> list[Prompt]:
    """As many prompts as all updates need, in seeded order; each comes again only after all have come."""
    drawn = random.Random(seed)
    needed = settings.updates * settings.drawn_prompts
    order: list[Prompt] = []
    while len(order) < needed:
        order += drawn.sample(prompts, len(prompts))
    return order[:needed]


def curve_lines(curve: Sequence[UpdateFigures]) -> str:
    """One line an update under a line of names."""
    lines = [",".join(field.name for field in fields(UpdateFigures))]
    for figures in curve:
        update, *numbers, learned = astuple(figures)
        lines.append(",".join([str(update), *(f"{number:.6g}" for number in numbers), str(len(learned))]))
    return "\n".join(lines) + "\n"
