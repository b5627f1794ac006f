"""The memory of each method on a machine: measured where it was, else estimated as before a training."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tasks.advise.facts import Facts
from tasks.advise.method import Need, Needed
from tasks.settings import Settings
from tasks.training.memory.batch import Load
from tasks.training.memory.shape import ModelShape, shape_in, usual_shape

KNOBS = ("batch_size", "accumulation", "gradient_checkpointing")
ANSWER = 32  # tokens of a row that count in the loss


def needs(facts: Facts, settings: Settings, base: Path | None) -> Need:
    """What tells the memory of a method; `base` is the folder of the model, if it is there."""

    @cache
    def need(method: str) -> Needed:
        measured = facts.methods.get(method)
        if measured is not None and measured.peak_mib and not facts.machine.gpu_mib:
            return Needed(peak_mib=round(measured.peak_mib), basis="measured by threeply compare")
        needed = _estimated(facts, settings, shape(), method)
        return needed if there else replace(needed, basis=f"{needed.basis}, by a Llama of the base's size")

    @cache
    def shape() -> ModelShape:
        return shape_in(base) if there and base else usual_shape(facts.parameters)

    there = base is not None and (base / "config.json").is_file()
    return need


def _estimated(facts: Facts, settings: Settings, shape: ModelShape, method: str) -> Needed:
    """The estimate with the settings as they are, or with the first change that fits; else the least."""
    from deploy.engines.precision import choose_device
    from tasks.training.memory.estimate import Estimate, estimate
    from tasks.training.memory.fitting import changes
    from tasks.training.settings import SftSettings

    gpu = facts.machine.gpu_mib > 0
    precision = "bfloat16" if gpu else choose_device(settings.run.precision)[1]

    def told(chosen: SftSettings, load: Load) -> Estimate:
        return estimate(shape, chosen, load, device="cuda" if gpu else "cpu", precision=precision)

    sft = settings.sft.model_copy(update={"method": method})
    load = Load.full(rows=sft.batch_size, length=sft.max_length, answers=ANSWER * sft.batch_size)
    found = told(sft, load)
    if found.mib <= facts.machine.training_mib:
        return Needed(peak_mib=found.mib, basis=_basis(load))
    least = Needed(peak_mib=found.mib, basis=_basis(load))
    for kind, _, chosen, batch in changes(sft, load):
        if kind == "method":
            break
        smaller = told(chosen, batch)
        knobs: Mapping[str, Any] = {name: getattr(chosen, name) for name in KNOBS}
        needed = Needed(peak_mib=smaller.mib, basis=_basis(batch), settings=knobs)
        if smaller.mib <= facts.machine.training_mib:
            return needed
        least = min(least, needed, key=lambda one: one.peak_mib)
    return least


def _basis(load: Load) -> str:
    return f"estimated for {load.rows} rows of {load.length} tokens at once"
