"""Saves all that training goes on from, and brings it back bit for bit.

A state is a folder of two files: tensors (what learns, its last good copy, the optimiser's moments, the
random generator) and the figures of the updates so far. The place in the data follows from their number.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from deploy.atomic import replacing, write_json
from deploy.files import read_json
from tasks.errors import TrainingError
from tasks.training.ppo.trainer import Trainer, UpdateFigures

FOLDER, TENSORS, FIGURES = "state", "state.safetensors", "updates.json"


def save_state(work: Path, trainer: Trainer, curve: Sequence[UpdateFigures]) -> None:
    """Replace the state in `work`; a kill at any moment leaves the old one or the new one."""
    tensors: dict[str, Tensor] = {"generator": trainer.generator.get_state()}
    for name, parameter in trainer.actors.parameters().items():
        tensors[f"now/{name}"] = parameter.detach()
        tensors[f"good/{name}"] = trainer.good[name]
        for moment, value in trainer.optimizer.state[parameter].items():
            tensors[f"{moment}/{name}"] = value
    with replacing(work / FOLDER) as folder:
        folder.mkdir()
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, folder / TENSORS)
        write_json(folder / FIGURES, [asdict(figures) for figures in curve])


def load_state(work: Path, trainer: Trainer) -> list[UpdateFigures]:
    """Set `trainer` to the state in `work`; the figures of the updates that it has behind it, or none."""
    folder = work / FOLDER
    if not folder.is_dir():
        return []
    tensors = load_file(folder / TENSORS)
    trainer.generator.set_state(tensors["generator"])
    parameters = trainer.actors.parameters()
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"now/{name}"])
            trainer.good[name].copy_(tensors[f"good/{name}"])
    moments = ("step", "exp_avg", "exp_avg_sq")
    known = trainer.optimizer.state_dict()
    known["state"] = {
        place: {moment: tensors[f"{moment}/{name}"] for moment in moments}
        for place, name in enumerate(parameters)
    }
    trainer.optimizer.load_state_dict(known)
    return read_json(folder / FIGURES, list[UpdateFigures], error=TrainingError, remedy=f"delete {folder}")
