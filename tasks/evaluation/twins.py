"""Which models compute the same: PPO that keeps the fine-tuned model leaves two of them.

Whoever asks models need not ask the second.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.adapters.names import CONFIG, KIND, WEIGHTS
from deploy.files import parse_json

# What a configuration of PEFT says about the sum of matrices; the rest is about training and places.
_DECIDES = (KIND, "r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern")


def twins(adapters: Mapping[str, Path]) -> dict[str, str]:
    """For each model whose LoRA has the very numbers of an earlier one, the name of that one."""
    first: dict[str, str] = {}
    found = {}
    for model, folder in adapters.items():
        content = _content(folder)
        if content is not None and first.setdefault(content, model) != model:
            found[model] = first[content]
    return found


def _content(folder: Path) -> str | None:
    """A hash of what a LoRA in `folder` adds to the base; None for adapters of another kind."""
    from safetensors.torch import load_file

    config = parse_json((folder / CONFIG).read_bytes(), dict[str, Any]) if (folder / CONFIG).exists() else {}
    if config.get(KIND) != "LORA":
        return None
    told = hashlib.sha256(json.dumps([config.get(key) for key in _DECIDES]).encode())
    for name, tensor in sorted(load_file(folder / WEIGHTS).items()):
        told.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        told.update(tensor.contiguous().numpy().tobytes())
    return told.hexdigest()
