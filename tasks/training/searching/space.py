"""What the search may change of each method, and between which values.

The settings of params.yaml are always among them: a list gains their value and a range grows to hold it.
`alpha` is never searched: it follows the rank, so that what a LoRA adds keeps its scale. What changes the
purpose of a method, such as the share that pruning cuts, stays as it is set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.methods.method import MethodSettings

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = int | float | str
ALL_LINEAR = "all-linear"


@dataclass(frozen=True, slots=True)
class Between:
    """A number from a range, drawn on a logarithmic scale."""

    low: float
    high: float

    def including(self, value: Value) -> "Between":
        """The smallest range that also holds `value`."""
        return Between(min(self.low, float(value)), max(self.high, float(value)))

    def suggest(self, trial: "Trial", name: str) -> Value:
        """What the sampler draws."""
        return trial.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True, slots=True)
class Among:
    """One of several values."""

    values: tuple[Value, ...]

    def including(self, value: Value) -> "Among":
        """The values with `value` among them."""
        return self if value in self.values else Among((*self.values, value))

    def suggest(self, trial: "Trial", name: str) -> Value:
        """What the sampler draws."""
        drawn = trial.suggest_categorical(name, self.values)
        assert drawn is not None
        return drawn


Dimension = Between | Among
RANKS = Among((4, 8, 16, 32, 64))
TOKENS = Among((5, 10, 20, 40))
TARGETS = Among((ALL_LINEAR,))  # and the sublayers that the model has
# Ranges of a factor of 100 around the rates of the papers, towards those that small models take.
SPACE: dict[str, dict[str, Dimension]] = {
    "full": {"learning_rate": Between(5e-6, 5e-4)},
    "selective": {"layers": Among((1, 2, 4, 8)), "learning_rate": Between(2e-5, 2e-3)},
    "adapter": {"width": Among((16, 32, 64, 128)), "learning_rate": Between(1e-4, 1e-2)},
    "lora": {"rank": RANKS, "targets": TARGETS, "learning_rate": Between(1e-4, 1e-2)},
    "qlora": {"rank": RANKS, "targets": TARGETS, "learning_rate": Between(1e-4, 1e-2)},
    "prefix": {"tokens": TOKENS, "learning_rate": Between(1e-4, 1e-2)},
    "prompt": {"tokens": TOKENS, "learning_rate": Between(3e-3, 3e-1)},
    "p_tuning_v1": {
        "tokens": TOKENS,
        "encoder": Among(("lstm", "mlp")),
        "learning_rate": Between(1e-4, 1e-2),
    },
    "p_tuning_v2": {"tokens": TOKENS, "learning_rate": Between(5e-4, 5e-2)},
    "pruning": {"rank": RANKS, "learning_rate": Between(5e-5, 5e-3)},
    "lora_pro": {"rank": RANKS, "targets": TARGETS, "learning_rate": Between(2e-5, 2e-3)},
    "hybrid": {
        "rank": RANKS,
        "width": Among((16, 32, 64, 128)),
        "prefix": Among((5, 10, 20)),
        "learning_rate": Between(1e-4, 1e-2),
    },
}
Sublayers = Mapping[str, Sequence[str]]  # such as self_attn: the names of its linear modules


def space_of(method: str, own: MethodSettings, sublayers: Sublayers) -> dict[str, Dimension]:
    """What may be changed of the settings `own`, whose values are among those that can be drawn."""
    return {
        name: (Among((ALL_LINEAR, *sublayers)) if searched is TARGETS else searched).including(
            label(getattr(own, name))
        )
        for name, searched in SPACE[method].items()
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
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base, trust_remote_code=False))
    parts: dict[str, set[str]] = {}
    for name in linear_modules(model):
        parent, _, last = name.rpartition(".")
        parts.setdefault(parent.rpartition(".")[2], set()).add(last)
    return {part: sorted(names) for part, names in parts.items()} if len(parts) > 1 else {}
