"""Bottleneck adapters (Houlsby et al. 2019, arXiv:1902.00751): small modules in every layer.

Behind attention and behind feed-forward: down-projection, nonlinearity, up-projection and a residual sum,
near the identity at the start. The width is the paper's middle one; its rate is 3e-4 (table 1 and section
3.1). The paper trains the layer norms and the head as well; here they stay as they are, so that what is saved
is the adapter alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from deploy.adapters.names import WEIGHTS, on_disk
from deploy.settings import Count, Positive
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.parts.attaching import inject
from tasks.methods.parts.files import write_peft_config, write_tensors
from tasks.methods.parts.targets import chosen_names, closing_names, layers_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class AdapterSettings(MethodSettings):
    """Width and places of the bottlenecks."""

    width: Count = 64
    activation: Literal["relu", "gelu", "silu", "tanh"] = "gelu"
    scale: Positive = 1.0
    # sublayers: behind the last linear map of attention and of the feed-forward part
    targets: Literal["sublayers"] | Annotated[list[str], Field(min_length=1)] = "sublayers"
    trained_layers: Count | None = None
    learning_rate: Positive = 3e-4


def attach(model: "PreTrainedModel", settings: AdapterSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with fresh bottlenecks on its topmost layers."""
    if settings.targets == "sublayers":
        names = closing_names(model)
    else:
        names = chosen_names(model, settings.targets, key="adapter.targets")
    return attach_bottlenecks(model, settings, names)


def attach_bottlenecks(model: "PreTrainedModel", settings: AdapterSettings, names: Sequence[str]) -> Adapted:
    """`model` with fresh bottlenecks behind the modules whose last names are `names`."""
    from tasks.methods.parts.bottleneck_tuner import BottleneckConfig

    config = BottleneckConfig(
        target_modules=list(names),
        width=settings.width,
        activation=settings.activation,
        scale=settings.scale,
        layers_to_transform=list(layers_of(model, settings.trained_layers)),
        task_type="CAUSAL_LM",
    )
    inject(config, model)
    return Adapted(model=model, write=lambda folder: _write(model, config, folder))


def _write(model: "PreTrainedModel", config: Any, folder: Path) -> None:
    write_peft_config(config, folder)
    tensors = {on_disk(name): tensor for name, tensor in model.state_dict().items() if ".bottleneck_" in name}
    write_tensors(tensors, folder / WEIGHTS)


METHOD = Method(
    name="adapter",
    summary="a small nonlinear module behind attention and feed-forward of each layer",
    settings=AdapterSettings,
    attach=attach,
    cannot={
        "merge": "a nonlinearity cannot be put into a weight",
        "mixed_batch": "PEFT's adapter_names does not know this type",
        "rlhf": "reward model and policy start from a LoRA adapter",
    },
)
