"""Which trainings are tried on a GPU: those that fit into its memory by the estimate."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.settings import Settings
from tasks.training.memory.batch import Load
from tasks.training.memory.estimate import estimate
from tasks.training.memory.shape import ModelShape, shape_in, usual_shape
from tasks.training.settings import SftSettings

ROWS, LENGTH = 8, 1024  # of a step
LARGEST = (13e9, 8e9, 3e9, 1e9, 0.3e9)  # parameters of the random model, the first that fits
WAYS = (("lora", "float32"), ("lora", "bfloat16"), ("qlora", "bfloat16"), ("full", "bfloat16"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A training: `model` is a folder, or the number of parameters of a random model as text."""

    model: str
    method: str
    precision: str
    processes: int = 1
    steps: int = 0  # none: the random model is made, and nothing trained
    length: int = LENGTH


def planned(model: Path, settings: Settings, *, memory: int, gpus: int) -> Iterator[Case]:
    """The cases that fit into `memory` bytes by the estimate, the given model first."""
    for method, precision in WAYS:
        case = Case(model=str(model), method=method, precision=precision)
        if expected(case, model, settings).peak <= memory:
            yield case
    for method in ("lora", "qlora"):
        sizes = (Case(model=f"{size:.0f}", method=method, precision="bfloat16") for size in LARGEST)
        fitting = next((case for case in sizes if expected(case, model, settings).peak <= memory), None)
        if fitting:
            yield fitting
            if gpus > 1 and method == "lora":
                yield Case(model=fitting.model, method=method, precision="bfloat16", processes=2)


def expected(case: Case, model: Path, settings: Settings) -> Any:
    """The estimate of a case on one GPU."""
    load = Load.full(rows=ROWS, length=case.length, answers=ROWS * (case.length - 1))
    sft = sft_settings(case, settings, steps=1)
    return estimate(model_shape(case, model), sft, load, device="cuda", precision=case.precision)


def model_shape(case: Case, model: Path) -> ModelShape:
    """The shape of the model of a case."""
    return usual_shape(int(case.model)) if case.model.isdigit() else shape_in(model)


def model_name(case: Case) -> str:
    """What people call the model of a case."""
    return f"a random Llama of {int(case.model) / 1e9:g} billion" if case.model.isdigit() else case.model


def sft_settings(case: Case, settings: Settings, *, steps: int) -> SftSettings:
    """The section `sft` as a case has it."""
    return settings.sft.model_copy(
        update={
            "rows": "documents",
            "method": case.method,
            "max_rows": steps * ROWS,
            "validation_rows": 1,
            "max_length": case.length,
            "batch_size": ROWS,
            "accumulation": 1,
            "replay": 0.0,
            "validation_passes": 1,
            "checkpoints": 1,
            "sharded": case.processes > 1,
        }
    )
