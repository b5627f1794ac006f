"""Saves all that RLHF goes on from, and brings it back bit for bit.

It is what learns, its last good and its best copies, the optimiser's moments, the random generator, and the
course so far. The place in the data follows from it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from tasks.training.checkpoint import read_state, write_state
from tasks.training.reinforcement.trainer import Trainer, UpdateFigures

Stopped = Literal["finished", "kl_limit", "length", "repetition", "score_fell"]
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
COPIES = ("good", "best", "earlier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How training went: the figures of each update, and why it ended, if it has.

    `best_after` is the update after which held-out prompts were answered best; 0: before the first.
    """

    curve: tuple[UpdateFigures, ...] = ()
    stopped: Stopped = "finished"
    best_after: int = 0


def save_state(work: Path, trainer: Trainer, course: Course) -> None:
    """Replace the state in `work`; a kill at any moment leaves the old one or the new one."""
    tensors: dict[str, Tensor] = {"generator": trainer.generator.get_state()}
    for name, parameter in trainer.actors.parameters().items():
        tensors[f"now/{name}"] = parameter.detach()
        tensors |= {f"{copy}/{name}": getattr(trainer, copy)[name].clone() for copy in COPIES}  # may be one
        for moment, value in trainer.optimizer.state[parameter].items():
            tensors[f"{moment}/{name}"] = value
    write_state(work, tensors, asdict(course))


def load_state(work: Path, trainer: Trainer) -> Course:
    """Set `trainer` to the state in `work`; the course that it has behind it, without any updates if none."""
    found = read_state(work, Course)
    if found is None:
        return Course()
    tensors, course = found
    trainer.generator.set_state(tensors["generator"])
    parameters = trainer.actors.parameters()
    trainer.restore({name: tensors[f"now/{name}"] for name in parameters})
    for copy in COPIES:
        setattr(trainer, copy, {name: tensors[f"{copy}/{name}"] for name in parameters})
    known = trainer.optimizer.state_dict()
    # A parameter has no moments before the first update that teaches.
    known["state"] = {
        place: {moment: tensors[f"{moment}/{name}"] for moment in MOMENTS}
        for place, name in enumerate(parameters)
        if f"step/{name}" in tensors
    }
    trainer.optimizer.load_state_dict(known)
    return course
