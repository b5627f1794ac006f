"""An adapter as files: equal weights are equal bytes, and nothing tells of the machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.names import CONFIG, KIND, REPLACED, WEIGHTS
from deploy.atomic import write_json
from deploy.files import parse_json
from tasks.errors import TrainingError

if TYPE_CHECKING:
    from peft import LoraConfig, PeftModel
    from torch import Tensor
    from transformers import PreTrainedModel


def write_tensors(tensors: "Mapping[str, Tensor]", path: Path) -> None:
    """Write `tensors` as safetensors, sorted by name."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.detach().contiguous().cpu().clone() for name, tensor in sorted(tensors.items())},
        path,
        metadata={"format": "pt"},
    )


def write_peft_config(config: Any, folder: Path, **changes: Any) -> None:
    """Write the settings of a PEFT adapter with `changes`, ready to be loaded by PEFT."""
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    write_config(folder, **changes, inference_mode=True)


def write_replaced(
    tensors: "Mapping[str, Tensor]", folder: Path, *, shapes: "Mapping[str, tuple[int, ...]] | None" = None
) -> None:
    """Write weights that take the place of those of the base; `shapes` are the base's where they differ."""
    known = shapes or {}
    write_tensors(tensors, folder / WEIGHTS)
    write_json(
        folder / CONFIG,
        {
            KIND: REPLACED,
            "replaced": {
                name: list(known.get(name, tuple(tensor.shape))) for name, tensor in sorted(tensors.items())
            },
        },
    )


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
    """Write the adapter into `folder`, the same on every machine.

    PEFT adds a model card, the path of the base model, and lists whose order changes from run to run.
    """
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    write_config(folder)


def write_config(folder: Path, **changes: Any) -> None:
    """Write the adapter's settings anew with `changes`, without the path of the base, its lists in order."""
    path = folder / CONFIG
    config = parse_json(path.read_bytes(), dict[str, Any]) | changes
    config |= {"base_model_name_or_path": "base", "revision": None}
    for name in ("target_modules", "modules_to_save", "layers_to_transform"):
        if isinstance(config.get(name), list):
            config[name] = sorted(set(config[name]))
    write_json(path, config)


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
