"""Loads a base model to train on: frozen, in the precision of the device, without a cache."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from tasks.machine.device import Device


def load_base(folder: Path, device: "Device") -> "PreTrainedModel":
    """The causal language model in `folder`, frozen, in the device's precision, without dropout."""
    from transformers import AutoModelForCausalLM

    return _frozen(AutoModelForCausalLM, folder, device)


def load_classifier(folder: Path, device: "Device") -> "PreTrainedModel":
    """The model in `folder` with a score of one number in place of its language head, frozen."""
    from transformers import AutoModelForSequenceClassification

    model = _frozen(AutoModelForSequenceClassification, folder, device, num_labels=1)
    model.score.float()
    return model


def _frozen(kind: Any, folder: Path, device: "Device", **options: Any) -> Any:
    try:
        model = kind.from_pretrained(
            folder, dtype=device.dtype, attn_implementation="sdpa", local_files_only=True, **options
        )
    except (OSError, ValueError) as error:
        raise TrainingError(f"the model in {folder} cannot be loaded: {error}; run dvc repro base") from None
    model.config.use_cache = False
    return model.requires_grad_(False).to(device.name)
