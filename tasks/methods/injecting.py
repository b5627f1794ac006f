"""Puts a tuner of PEFT into a model that stays the model it was, so that several kinds can share it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = "default"  # the name that PEFT gives what is injected


def inject(config: Any, model: "PreTrainedModel") -> None:
    """Inject the tuner of `config`; what was injected before stays, and learns on."""
    from peft import inject_adapter_in_model

    learning = [part for part in model.parameters() if part.requires_grad]
    vars(model).pop("peft_config", None)  # PEFT takes what it finds there for adapters of the same kind
    inject_adapter_in_model(config, model, adapter_name=ADAPTER)
    for part in learning:
        part.requires_grad_(True)
