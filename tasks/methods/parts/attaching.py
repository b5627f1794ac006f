"""What methods do to a model: a tuner of PEFT is put into it, or weights of its own are let learn."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.names import SLOT
from tasks.methods.method import Adapted
from tasks.methods.parts.files import write_replaced

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def inject(config: Any, model: "PreTrainedModel") -> None:
    """Put the tuner of `config` into `model`, which stays the model it was: several kinds can share it.

    What was put in before stays, and learns on. What learns is float32, in whatever the model is: in bfloat16
    a step that is small beside its weight is rounded away.
    """
    from peft import inject_adapter_in_model

    learning = [part for part in model.parameters() if part.requires_grad]
    vars(model).pop("peft_config", None)  # PEFT takes what it finds there for adapters of the same kind
    inject_adapter_in_model(config, model, adapter_name=SLOT)
    for part in model.parameters():
        if part.requires_grad:
            part.data = part.data.float()
    for part in learning:
        part.requires_grad_(True)


def train_weights(
    model: "PreTrainedModel", names: Iterable[str], *, shapes: "Mapping[str, tuple[int, ...]] | None" = None
) -> Adapted:
    """`model` with the parameters called `names` learning in float32; they are what is written.

    `shapes` are those that weights had before they were cut.
    """
    chosen = set(names)
    for name, parameter in model.named_parameters():
        if name in chosen:
            parameter.data = parameter.data.float()  # small steps vanish in half precision
            parameter.requires_grad_(True)
    _compute_wide(model)

    def write(folder: Path) -> None:
        named = dict(model.named_parameters())  # by name: spread over processes, they are others
        write_replaced({name: named[name].data for name in chosen}, folder, shapes=shapes)

    return Adapted(model=model, write=write)


def _compute_wide(model: "PreTrainedModel") -> None:
    """Modules in float32 compute in it, and hand on what the rest of a model in a shorter dtype takes."""
    import torch

    dtypes = {part.dtype for part in model.parameters() if part.is_floating_point()}
    if len(dtypes) == 1:
        return
    (short,) = dtypes - {torch.float32}

    def widen(_: Any, inputs: "tuple[Any, ...]") -> "tuple[Any, ...]":
        return tuple(x.float() if isinstance(x, torch.Tensor) and x.dtype == short else x for x in inputs)

    def shorten(_: Any, __: Any, output: Any) -> Any:
        return output.to(short)

    for module in model.modules():
        own = [part for part in module.parameters(recurse=False) if part.is_floating_point()]
        if any(part.dtype == torch.float32 for part in own):
            for part in own:  # a weight beside a bias that learns: a product has one dtype
                part.data = part.data.float()
            module.register_forward_pre_hook(widen)
            module.register_forward_hook(shorten)
