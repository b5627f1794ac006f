"""Loads a base model to train on: frozen, in the precision of the device, without a cache."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import TrainingError
from tasks.machine.room import require_room

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from tasks.machine.device import Device


# What configurations call it: GPT-2's, OPT's, GPT-NeoX's. A method brings its own, and has a setting for it.
DROPOUTS = (
    "resid_pdrop", "embd_pdrop", "attn_pdrop", "dropout", "attention_dropout", "activation_dropout",
    "hidden_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob",
)  # fmt: skip


def load_base(folder: Path, device: "Device") -> "PreTrainedModel":
    """The causal language model in `folder`, frozen, in the device's precision, without dropout."""
    from transformers import AutoModelForCausalLM

    return _loaded(AutoModelForCausalLM, folder, device)


def load_classifier(folder: Path, device: "Device") -> "PreTrainedModel":
    """The model in `folder` with a score of one number in place of its language head, frozen."""
    from transformers import AutoModelForSequenceClassification

    model = _loaded(AutoModelForSequenceClassification, folder, device, num_labels=1)
    model.score.float()
    return model


def map_base(folder: Path, device: "Device") -> "PreTrainedModel":
    """The causal language model in `folder`, frozen, as its files have it: weights are read when looked at.

    It lies where the files are mapped, in the memory of the CPU.
    """
    from transformers import AutoModelForCausalLM

    return _frozen(AutoModelForCausalLM, folder, device, dtype="auto")


def _loaded(kind: Any, folder: Path, device: "Device", **options: Any) -> Any:
    require_room(folder, device, what="training")
    return _frozen(kind, folder, device, dtype=device.dtype, **options).to(device.name)


def _frozen(kind: Any, folder: Path, device: "Device", **options: Any) -> Any:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    options |= {name: 0.0 for name in DROPOUTS if getattr(config, name, 0.0)}
    attention = None if device.attn_implementation == "auto" else device.attn_implementation
    try:
        model = kind.from_pretrained(
            folder, attn_implementation=attention, local_files_only=True, trust_remote_code=False, **options
        )
    except (OSError, ValueError, ImportError) as error:
        advice = "run dvc repro base" if attention is None else "set run.attn_implementation to auto"
        raise TrainingError(f"the model in {folder} cannot be loaded: {error}; {advice}") from None
    model.config.use_cache = False
    return model.requires_grad_(False)
