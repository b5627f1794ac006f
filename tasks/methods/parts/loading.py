"""A tuned model as the libraries that trained it hold it: what serves is measured against this.

Nothing of `deploy.adapters` is used but the names of its files: two ways that share their code would share
its faults.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.names import COMPOSED, CONFIG, FOUR_BITS, KIND, REPLACED, in_model
from deploy.files import parse_json
from tasks.methods.parts.base_model import load_base
from tasks.methods.parts.files import load_adapter, read_weights

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from tasks.machine.device import Device


def load_trained(base: Path, folder: Path, device: "Device") -> "Callable[[Tensor], Tensor]":
    """What makes logits [rows, tokens, vocabulary] of unpadded token rows, by PEFT where it knows the kind.

    Raises:
        TrainingError: a folder does not hold what it should.
    """
    import torch

    from tasks.methods.parts import bottleneck_tuner  # noqa: F401  (makes its type known to PEFT)

    model = _attached(load_base(base, device), folder).eval()

    def logits(rows: "Tensor") -> "Tensor":
        with torch.inference_mode():
            rows = rows.to(device.name)
            made: Tensor = model(input_ids=rows, attention_mask=torch.ones_like(rows)).logits
            return made[:, -rows.shape[1] :]  # PEFT gives those of its virtual tokens as well

    return logits


def _attached(model: "PreTrainedModel", folder: Path) -> Any:
    import torch

    from tasks.methods.parts.four_bits import quantise

    config = parse_json((folder / CONFIG).read_bytes(), dict[str, Any]) if (folder / CONFIG).is_file() else {}
    if config.get(KIND) == REPLACED:
        return _replaced(model, folder)
    if config.get(KIND) == FOUR_BITS:
        quantise(model, dtype=getattr(torch, config["dtype"]))
        [part] = config["parts"]
        return load_adapter(model, folder / part)
    if config.get(KIND) != COMPOSED:
        return load_adapter(model, folder)
    # Virtual tokens are read by the forward pass of PEFT's own model, which must be the outermost.
    parts = sorted((folder / part for part in config["parts"]), key=lambda part: part.name == "prefix")
    attached: Any = model
    for part in parts:
        attached = load_adapter(model, part) if part.name == "prefix" else _injected(model, part)
    return attached


def _injected(model: "PreTrainedModel", folder: Path) -> "PreTrainedModel":
    """`model` with one part of a hybrid beside the others; nested models of PEFT do not load as saved."""
    from peft import PeftConfig

    from tasks.methods.parts.attaching import inject

    inject(PeftConfig.from_pretrained(folder), model)
    parameters = dict(model.named_parameters())
    for name, tensor in read_weights(folder).items():
        parameters[in_model(name)].data.copy_(tensor)
    return model


def _replaced(model: "PreTrainedModel", folder: Path) -> "PreTrainedModel":
    """`model` with weights of the folder in place of its own; pruned ones are smaller."""
    parameters = dict(model.named_parameters())
    for name, tensor in read_weights(folder).items():
        own = parameters[name]
        own.data = tensor.to(own.device, own.dtype)  # the parameter stays: a head may share it
    return model
