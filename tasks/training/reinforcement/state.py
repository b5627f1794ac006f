"""Saves all that RLHF goes on from, and brings it back bit for bit.

It is what learns, its last good and its best copy, the optimiser's moments, the random generator, and the
figures of the updates so far. The place in the data follows from them.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from tasks.training.checkpoint import read_state, write_state
from tasks.training.reinforcement.trainer import Trainer, UpdateFigures

MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def save_state(work: Path, trainer: Trainer, curve: Sequence[UpdateFigures]) -> None:
    """Replace the state in `work`; a kill at any moment leaves the old one or the new one."""
    tensors: dict[str, Tensor] = {"generator": trainer.generator.get_state()}
    for name, parameter in trainer.actors.parameters().items():
        tensors[f"now/{name}"] = parameter.detach()
        tensors[f"good/{name}"] = trainer.good[name]
        tensors[f"best/{name}"] = trainer.best[name]
        for moment, value in trainer.optimizer.state[parameter].items():
            tensors[f"{moment}/{name}"] = value
    write_state(work, tensors, [asdict(figures) for figures in curve])


def load_state(work: Path, trainer: Trainer) -> list[UpdateFigures]:
    """Set `trainer` to the state in `work`; the figures of the updates that it has behind it, or none."""
    found = read_state(work, list[UpdateFigures])
    if found is None:
        return []
    tensors, curve = found
    trainer.generator.set_state(tensors["generator"])
    parameters = trainer.actors.parameters()
    now, trainer.good, trainer.best = (
        {name: tensors[f"{state}/{name}"] for name in parameters} for state in ("now", "good", "best")
    )
    trainer.restore(now)
    known = trainer.optimizer.state_dict()
    # A parameter has no moments before the first update that teaches.
    known["state"] = {
        place: {moment: tensors[f"{moment}/{name}"] for moment in MOMENTS}
        for place, name in enumerate(parameters)
        if f"step/{name}" in tensors
    }
    trainer.optimizer.load_state_dict(known)
    return curve
