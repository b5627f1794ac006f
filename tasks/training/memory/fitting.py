"""Refuses a training run that cannot fit into memory, and says which change of the settings would."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.memory import MIB, available
from tasks.methods import METHODS
from tasks.training.memory.batch import Load
from tasks.training.memory.estimate import Estimate, estimate
from tasks.training.memory.shape import shape_in
from tasks.training.settings import SftSettings

LIGHT = ("lora", "p_tuning_v2")  # methods that need less than those that train weights or change them


def require_memory(
    base: Path,
    settings: SftSettings,
    load: Load,
    device: Device,
    *,
    held: int = 0,
    sharing: int = 1,
    memory: int | None = None,
) -> Estimate:
    """The estimate for a run whose heaviest batch is `load`, if it fits into memory.

    `memory` is how much there is; without it, what this process may have, by a fair share if several are
    `sharing` the machine.

    Raises:
        TrainingError: it does not fit; the message says what would.
    """
    shape = shape_in(base)

    def needed(chosen: SftSettings, batch: Load) -> Estimate:
        return estimate(shape, chosen, batch, device=device.name, precision=device.precision, held=held)

    found = needed(settings, load)
    shares = 1 if device.name == "cuda" else sharing  # each has a GPU of its own
    there = memory if memory is not None else available(device.name) // shares
    if found.peak <= there:
        return found
    fits = fitting(settings, load, there, needed)
    advice = "; or ".join(fits) or (
        "no smaller batch, no gradient checkpointing and no lighter method would; "
        "free memory, lower sft.max_length, or choose a smaller base.model"
    )
    where = "GPU memory" if device.name == "cuda" else "memory"
    raise TrainingError(
        f"sft.method {settings.method} with {load.rows} rows of up to {load.length} tokens at once needs "
        f"about {found.sentence()}, and {there / MIB:,.0f} MiB of {where} are there. "
        f"What would fit: {advice}"
    )


def fitting(
    settings: SftSettings, load: Load, memory: int, needed: Callable[[SftSettings, Load], Estimate]
) -> list[str]:
    """The smallest change of each kind that brings the run into `memory` bytes, with its estimate."""
    found: dict[str, str] = {}
    for kind, change, chosen, batch in changes(settings, load):
        if kind not in found and (told := needed(chosen, batch)).peak <= memory:
            found[kind] = f"{change} ({told.mib:,} MiB)"
    return list(found.values())


def changes(settings: SftSettings, load: Load) -> Iterator[tuple[str, str, SftSettings, Load]]:
    """Settings that need less: their kind, how they are written, the settings and the heaviest batch."""
    rows = load.rows
    while rows > 1:
        rows //= 2
        share = rows / load.rows
        accumulation = settings.accumulation * (load.rows // rows)
        batch = replace(
            load, rows=rows, tokens=round(load.tokens * share), answers=max(1, round(load.answers * share))
        )
        smaller = settings.model_copy(update={"batch_size": rows, "accumulation": accumulation})
        yield "batch", f"sft.batch_size: {rows} with sft.accumulation: {accumulation}", smaller, batch
    if not settings.gradient_checkpointing and not METHODS[settings.method].refusal(
        "gradient_checkpointing", settings.chosen
    ):
        again = settings.model_copy(update={"gradient_checkpointing": True})
        yield "checkpointing", "sft.gradient_checkpointing: true", again, load
        if load.rows > 1:
            one = replace(load, rows=1, tokens=load.length, answers=max(1, load.answers // load.rows))
            single = again.model_copy(
                update={"batch_size": 1, "accumulation": settings.accumulation * load.rows}
            )
            words = f"sft.gradient_checkpointing: true, sft.batch_size: 1, sft.accumulation: {load.rows}"
            yield "checkpointing", words, single, one
    for name in LIGHT:
        if name != settings.method:
            light = settings.model_copy(update={"method": name, "gradient_checkpointing": False})
            yield "method", f"sft.method: {name}", light, load
