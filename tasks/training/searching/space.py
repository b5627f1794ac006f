"""What the search may change of each method, and between which values.

The settings of params.yaml are always among them: a list gains their value and a range grows to hold it.
`alpha` is never searched: it follows the rank, so that what a LoRA adds keeps its scale. What changes the
purpose of a method, such as the share that pruning cuts, stays as it is set.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.methods import METHODS
from tasks.methods.method import MethodSettings
from tasks.methods.searched import ALL_LINEAR, TARGETS, Among, Dimension, Value

Sublayers = Mapping[str, Sequence[str]]  # such as self_attn: the names of its linear modules


def space_of(method: str, own: MethodSettings, sublayers: Sublayers) -> dict[str, Dimension]:
    """What may be changed of the settings `own`, whose values are among those that can be drawn."""
    return {
        name: (Among((ALL_LINEAR, *sublayers)) if searched is TARGETS else searched).including(
            label(getattr(own, name))
        )
        for name, searched in METHODS[method].searched.items()
    }


def label(value: Any) -> Value:
    """A setting as the sampler knows it: a list of names is one word to it."""
    word: Value = " ".join(value) if isinstance(value, list) else value
    return word


def changed(own: MethodSettings, drawn: Mapping[str, Value], sublayers: Sublayers) -> MethodSettings:
    """`own` with what was drawn; alpha keeps its ratio to the rank."""
    values: dict[str, Any] = {**own.model_dump(), **drawn}
    if drawn.get("targets", ALL_LINEAR) != ALL_LINEAR:
        word = str(drawn["targets"])
        values["targets"] = list(sublayers.get(word) or word.split())
    if "rank" in drawn and "alpha" in values:
        before: dict[str, Any] = own.model_dump()
        values["alpha"] = max(1, round(values["rank"] * before["alpha"] / before["rank"]))
    return type(own).model_validate(values)


def sublayers_of(base: Path) -> dict[str, list[str]]:
    """The parts of a decoder layer (attention, feed-forward) with the last names of their linear modules.

    Only the shape of the model in `base` is looked at. Empty where a layer has but one such part.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from tasks.methods.parts.targets import linear_modules

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
    parts: dict[str, set[str]] = {}
    for name in linear_modules(model):
        parent, _, last = name.rpartition(".")
        parts.setdefault(parent.rpartition(".")[2], set()).add(last)
    return {part: sorted(names) for part, names in parts.items()} if len(parts) > 1 else {}
