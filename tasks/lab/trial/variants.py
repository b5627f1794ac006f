"""What a variant changes about a trial: wrong answers among the rows, or no training at all."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.methods.parts.base_model import load_base
from tasks.rows.grounding import ground
from tasks.rows.records import Example
from tasks.rows.sampling import stratified
from tasks.training.settings import SftSettings
from tasks.training.tuning.tokens import tokenise

SHOWN = 64  # rows that a method may look at before it starts; Wanda's calibration takes half of them


def answered_wrongly(examples: Sequence[Example], share: float, *, seed: int) -> list[Example]:
    """`examples` in their order, a `share` of them with the answer of the next one whose answer differs."""
    drawn = sorted(random.Random(seed).sample(range(len(examples)), round(share * len(examples))))
    changed = list(examples)
    for place in drawn:
        own = examples[place].messages[-1]
        others = (examples[(place + step) % len(examples)].messages[-1] for step in range(1, len(examples)))
        if (other := next((found for found in others if found != own), None)) is not None:
            changed[place] = replace(examples[place], messages=(*examples[place].messages[:-1], other))
    return changed


def attach_only(
    examples: Sequence[Example],
    assistant: Assistant,
    base: Path,
    adapter: Path,
    *,
    run: RunSettings,
    settings: SftSettings,
) -> None:
    """Write into `adapter` what the method makes of the model before it learns anything."""
    device = set_up_torch(run)
    method = METHODS[settings.method]
    tokenizer = load_tokenizer(base)
    shown = stratified(examples, SHOWN, key=lambda example: example.task, seed=run.seed)
    rows = tokenise(ground(shown, assistant), tokenizer, max_length=settings.max_length).rows
    material = Material(tokenizer=tokenizer, rows=[row.input_ids for row in rows])
    adapted = method.attach(load_base(base, device), settings.chosen, material)
    adapter.mkdir(parents=True, exist_ok=True)
    adapted.write(adapter)
    method.note(adapter, settings.chosen)
