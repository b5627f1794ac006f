"""Loads a base model to train on: frozen, in the precision of the device, without a cache."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import TrainingError
from tasks.machine.room import require_room

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from tasks.machine.device import Device


def load_base(folder: Path, device: "Device", **options: Any) -> "PreTrainedModel":
    """The causal language model in `folder`, frozen, in the device's precision, without dropout.

    `options` are transformers' own.
    """
    from transformers import AutoModelForCausalLM

    return _frozen(AutoModelForCausalLM, folder, device, **options)


def load_classifier(folder: Path, device: "Device") -> "PreTrainedModel":
    """The model in `folder` with a score of one number in place of its language head, frozen."""
    from transformers import AutoModelForSequenceClassification

    model = _frozen(AutoModelForSequenceClassification, folder, device, num_labels=1)
    model.score.float()
    return model


def _frozen(kind: Any, folder: Path, device: "Device", **options: Any) -> Any:
    if options.get("dtype") != "auto":  # whose weights are rounded as they come
        require_room(folder, device, what="training")
    attention = None if device.attn_implementation == "auto" else device.attn_implementation
    try:
        model = kind.from_pretrained(
            folder,
            attn_implementation=attention,
            local_files_only=True,
            **{"dtype": device.dtype} | options,
        )
    except (OSError, ValueError, ImportError) as error:
        advice = "run dvc repro base" if attention is None else "set run.attn_implementation to auto"
        raise TrainingError(f"the model in {folder} cannot be loaded: {error}; {advice}") from None
    model.config.use_cache = False
    model.requires_grad_(False)
    return model.to(device.name)
