"""Runs the updates one after another, and stops where the policy has gone too far or got worse."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from tasks.machine.progress import Progress
from tasks.training.reinforcement.state import Course, Stopped, load_state, save_state
from tasks.training.reinforcement.trainer import Trainer, UpdateFigures
from tasks.training.reinforcement.worth import Prompt
from tasks.training.rlhf_settings import RlhfSettings
from tasks.training.schedule import milestones

LONGER = 2.0  # times as long as at first: responses that grow so while the reward rises game it
REPEATED = 0.2  # share of repeated tokens beyond that at first
TOLD: dict[Stopped, str] = {
    "kl_limit": "held-out answers are further from the reference than rlhf.kl_limit",
    "length": "responses are more than twice as long as at first",
    "repetition": "responses repeat themselves more and more",
    "score_fell": "held-out prompts are answered worse than before, for sure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How well held-out prompts are answered, and how far from the reference (nats a response).

    `fell`: the mean score is below that at first, for sure.
    """

    score: float
    kl: float
    fell: bool


def train(
    trainer: Trainer,
    prompts: Sequence[Prompt],
    settings: RlhfSettings,
    *,
    work: Path,
    judge: Callable[[], Judged] | None = None,
    first: float = 0.0,
    saved: Callable[[int], None] = lambda _number: None,
) -> Course:
    """Run the updates that are left; `trainer` ends in the best state that was within the limit.

    The divergence is measured on the responses that a state samples, so the state after the last update is
    not measured yet, unless `judge` does: that is for its reader to do.

    Args:
        trainer: what learns.
        prompts: as many as all updates may draw, in order.
        settings: of the stage.
        work: the folder of the resumable state.
        judge: answers held-out prompts, `settings.validation_passes` times; what it finds best is kept.
        first: the score of what there was before the first update.
        saved: told the number of each update whose state has just been saved.
    """
    course = load_state(work, trainer)
    if course.curve:
        print(f"going on from update {len(course.curve)} of {settings.updates}", flush=True)
    save_after = milestones(settings.updates, settings.checkpoints)
    judge_after = milestones(settings.updates, settings.validation_passes) if judge else frozenset()
    progress = Progress(settings.updates, "updates")
    progress.update(len(course.curve))
    while course.stopped == "finished" and len(course.curve) < settings.updates:
        curve, best_after, number = course.curve, course.best_after, len(course.curve) + 1
        at = sum(figures.drawn for figures in curve)
        gathered = trainer.sampler.gather(prompts[at : at + settings.drawn_prompts])
        if gathered.experience.kl > settings.kl_limit:
            if best_after == number - 1:  # what was best is what is now seen to be too far
                trainer.best = trainer.earlier
            trainer.restore(trainer.good)
            print(
                f"stopped before update {number}: {gathered.experience.kl:.2f} nats a response from the "
                f"reference, the limit is {settings.kl_limit:g}; the state before that is kept",
                flush=True,
            )
            course = replace(course, stopped="kl_limit")
            break
        trainer.keep()
        trainer.adapt([line.kl for line in curve])
        figures = trainer.update(number, gathered)
        stopped: Stopped = "finished"
        if judge and number in judge_after:
            found = judge()
            figures = replace(figures, heldout=found.score)
            before = max([first, *(each.heldout for each in curve if each.heldout is not None)])
            if found.kl > settings.kl_limit:
                trainer.restore(trainer.good)
                stopped = "kl_limit"
            elif found.score > before:
                trainer.keep_best()
                best_after = number
            elif found.fell:
                stopped = "score_fell"
        curve = (*curve, figures)
        stopped = stopped if stopped != "finished" else _gamed(curve)
        course = Course(curve=curve, stopped=stopped, best_after=best_after)
        progress.update(number, reward=figures.reward, kl=figures.kl, entropy=figures.entropy)
        if number in save_after:
            save_state(work, trainer, course)
            saved(number)
        if stopped != "finished":
            print(f"stopped after update {number}: {TOLD[stopped]}", flush=True)
    if judge and settings.keep == "better":
        trainer.restore(trainer.best)
    return course


def _gamed(curve: Sequence[UpdateFigures]) -> Stopped:
    """Whether the reward rises by what a reader would not like: length, or saying things again."""
    first, last = curve[0], curve[-1]
    if last.reward > first.reward and last.response_length > LONGER * first.response_length:
        return "length"
    if last.reward > first.reward and last.repetition > first.repetition + REPEATED:
        return "repetition"
    return "finished"


def in_order(prompts: Sequence[Prompt], count: int, *, seed: int) -> list[Prompt]:
    """`count` prompts in seeded order; each comes again only after all have come."""
    drawn = random.Random(seed)
    order: list[Prompt] = []
    while len(order) < count:
        order += drawn.sample(prompts, len(prompts))
    return order[:count]


def reached(order: Sequence[Prompt], curve: Sequence[UpdateFigures]) -> tuple[set[str], Counter[str]]:
    """The ids of the examples that training drew from `order`, and how often it learned from which."""
    names, at = [prompt.example.id for prompt in order], 0
    learned = Counter[str]()
    for figures in curve:
        learned.update(names[at + place] for place in figures.learned)
        at += figures.drawn
    return set(names[:at]), learned


def curve_lines(curve: Sequence[UpdateFigures]) -> str:
    """One line an update under a line of names; a figure that was not measured is left empty."""
    lines = [",".join(field.name for field in fields(UpdateFigures))]
    for figures in curve:
        cells = (len(cell) if isinstance(cell, tuple) else cell for cell in astuple(figures))
        lines.append(",".join("" if cell is None else f"{cell:.6g}" for cell in cells))
    return "\n".join(lines) + "\n"
