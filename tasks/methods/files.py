"""How methods write what they have learned: equal weights are equal bytes, and no trace of the machine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.reading import CONFIG, KIND, REPLACED, WEIGHTS
from deploy.atomic import write_json
from tasks.adapters import write_config

if TYPE_CHECKING:
    from torch import Tensor

PEFT_PREFIX = "base_model.model."  # what PEFT puts before the names of a model's modules


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
    path = folder / CONFIG
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | changes | {"inference_mode": True})
    write_config(folder)


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
