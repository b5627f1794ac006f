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

    What was put in before stays, and learns on.
    """
    from peft import inject_adapter_in_model

    learning = [part for part in model.parameters() if part.requires_grad]
    vars(model).pop("peft_config", None)  # PEFT takes what it finds there for adapters of the same kind
    inject_adapter_in_model(config, model, adapter_name=SLOT)
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

    def write(folder: Path) -> None:
        named = dict(model.named_parameters())  # by name: spread over processes, they are others
        write_replaced({name: named[name].data for name in chosen}, folder, shapes=shapes)

    return Adapted(model=model, write=write)
