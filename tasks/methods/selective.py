"""Selective tuning: some of the base's own weights learn.

`last_layers`: the topmost layers. `norms_and_biases`: BitFit (Ben Zaken et al. 2021, arXiv:2106.10199); a
model without biases, such as Llama, gets its norms alone, and is told so. `patterns`: whatever matches.
"""

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from deploy.settings import Count, Positive
from tasks.methods.method import REPLACING_CANNOT, Adapted, Material, Method, MethodSettings, unmatched
from tasks.methods.parts.attaching import train_weights
from tasks.methods.parts.targets import layer_of, layers_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class SelectiveSettings(MethodSettings):
    """Which weights learn."""

    which: Literal["last_layers", "norms_and_biases", "patterns"] = "last_layers"
    layers: Count = 4
    patterns: Annotated[list[str], Field(min_length=1)] | None = None
    learning_rate: Positive = 1e-4

    @model_validator(mode="after")
    def _patterns_are_given(self) -> "SelectiveSettings":
        if (self.which == "patterns") != (self.patterns is not None):
            raise ValueError("patterns goes with `which: patterns`, and with nothing else")
        for pattern in self.patterns or ():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"patterns: {pattern!r} is no regular expression ({error})") from None
        return self


def attach(model: "PreTrainedModel", settings: SelectiveSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with the chosen weights learning.

    Raises:
        SettingsError: nothing is chosen.
    """
    names = [name for name, _ in model.named_parameters()]
    if settings.which == "last_layers":
        chosen = [name for name in names if layer_of(name) in layers_of(model, settings.layers)]
    elif settings.which == "norms_and_biases":
        biases = [name for name in names if name.endswith(".bias")]
        if not biases:
            print("the model has no biases: its norms learn alone", flush=True)
        chosen = sorted({*biases, *(name for name in names if "norm" in name)})
    else:
        patterns = settings.patterns or []
        idle = [pattern for pattern in patterns if not any(re.search(pattern, name) for name in names)]
        if idle:
            raise unmatched("selective.patterns", idle, {re.sub(r"\d+", "N", name) for name in names})
        chosen = [name for name in names if any(re.search(pattern, name) for pattern in patterns)]
    if not chosen:
        raise unmatched(
            f"selective.which: {settings.which}",
            [settings.which],
            {re.sub(r"\d+", "N", name) for name in names},
        )
    return train_weights(model, chosen)


METHOD = Method(
    name="selective",
    summary="the last layers, norms and biases (BitFit), or weights by name",
    settings=SelectiveSettings,
    attach=attach,
    cannot=REPLACING_CANNOT,
)
