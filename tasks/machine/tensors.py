"""What the files of weights say of their tensors, without reading them."""

import math
from collections.abc import Iterator
from pathlib import Path


def tensor_sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Of each tensor in the files below `folder` its dtype, as safetensors has it, and how many numbers."""
    from safetensors import safe_open

    for file in sorted(folder.rglob("*.safetensors")):
        with safe_open(file, framework="np") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dict
                part = weights.get_slice(name)
                yield part.get_dtype(), math.prod(part.get_shape())
