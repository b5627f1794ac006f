"""Loads a base model with LoRA adapters to train, and saves them so that equal weights are equal bytes."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_json
from tasks.errors import TrainingError

if TYPE_CHECKING:
    from peft import LoraConfig, PeftModel
    from torch import nn
    from transformers import PreTrainedModel

    from tasks.device import Device

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterParts:
    """Which trainable parameters a model has."""

    trainable: int
    total: int


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


def load_adapter(model: "PreTrainedModel", folder: Path, *, trainable: bool = False) -> "PeftModel":
    """`model` with the adapter in `folder`.

    Raises:
        TrainingError: the adapter is missing or does not fit the model.
    """
    from peft import PeftModel

    if not (folder / CONFIG).is_file():
        raise TrainingError(f"{folder} holds no adapter; run the stage before this one (dvc repro)")
    try:
        return PeftModel.from_pretrained(model, folder, is_trainable=trainable)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"the adapter in {folder} does not fit the base model: {error}") from None


def read_config(folder: Path) -> "LoraConfig":
    """The LoRA settings of the adapter in `folder`."""
    from peft import LoraConfig

    try:
        return LoraConfig.from_pretrained(folder)
    except ValueError as error:
        raise TrainingError(f"{folder} holds no LoRA adapter ({error}); run dvc repro sft") from None


def read_weights(folder: Path) -> dict[str, Any]:
    """The tensors of the adapter in `folder` by their names on disk."""
    from safetensors.torch import load_file

    return load_file(folder / WEIGHTS)


def save_adapter(model: "PeftModel", folder: Path) -> None:
    """Write the adapter into `folder`, with nothing in it that tells of this machine."""
    model.save_pretrained(folder)
    clean_adapter(folder)


def clean_adapter(folder: Path) -> None:
    """Make an adapter that PEFT wrote the same on every machine.

    PEFT adds a model card, the path of the base model, and lists whose order changes from run to run.
    """
    (folder / "README.md").unlink(missing_ok=True)
    write_config(folder)


def write_config(folder: Path) -> None:
    """Write the adapter's settings anew, without the path of the base and with its lists in order."""
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = "base"
    config["revision"] = None
    for name in ("target_modules", "modules_to_save", "layers_to_transform"):
        if isinstance(config.get(name), list):
            config[name] = sorted(set(config[name]))
    write_json(path, config)


def train_only(model: "nn.Module", *, layers: Iterable[int], also: Iterable[str] = ()) -> AdapterParts:
    """Let the adapter of these layers learn, and the modules named in `also`; freeze the rest."""
    chosen = [f".layers.{layer}." for layer in layers]
    heads = [f".{name}." for name in also]
    trainable = total = 0
    for name, parameter in model.named_parameters():
        adapted = "lora_" in name and any(part in name for part in chosen)
        head = any(part in name for part in heads) and "original_module" not in name
        parameter.requires_grad_(adapted or head)
        trainable += parameter.numel() if parameter.requires_grad else 0
        total += parameter.numel()
    if not trainable:
        raise TrainingError("no parameter of the adapter would learn; raise trained_layers in params.yaml")
    return AdapterParts(trainable=trainable, total=total)


def top_layers(layers: int, count: int) -> range:
    """The numbers of the topmost `count` of `layers` layers; all of them if `count` is more."""
    return range(max(layers - count, 0), layers)


def _frozen(kind: Any, folder: Path, device: "Device", **options: Any) -> Any:
    try:
        model = kind.from_pretrained(
            folder, dtype=device.dtype, attn_implementation="sdpa", local_files_only=True, **options
        )
    except (OSError, ValueError) as error:
        raise TrainingError(f"the model in {folder} cannot be loaded: {error}; run dvc repro base") from None
    model.config.use_cache = False
    return model.requires_grad_(False).to(device.name)
