"""Reads an adapter's folder: `adapter_config.json` says of which kind it is, the weights are safetensors."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.adapter import Adapter, Replacement
from deploy.adapters.four_bits import read_four_bits
from deploy.adapters.names import COMPOSED, CONFIG, FOUR_BITS, KIND, REPLACED, WEIGHTS
from deploy.errors import EngineError
from deploy.files import parse_json

if TYPE_CHECKING:
    from torch import Tensor

    Reader = Callable[[Path, Mapping[str, Any], Mapping[str, Tensor]], Adapter]

_PART = re.compile(r"[A-Za-z0-9_-]+")


def read_adapter(folder: Path) -> Adapter:
    """The adapter in `folder`.

    Raises:
        EngineError: files are missing, or the adapter is of a kind that is not served.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = parse_json((folder / CONFIG).read_bytes(), dict[str, Any])
        if config.get(KIND) == COMPOSED:
            return _composed(folder, config)
        if config.get(KIND) == FOUR_BITS:
            [part] = _parts(folder, config)
            return read_four_bits(config, read_adapter(part), folder)
        tensors = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise EngineError(f"no adapter can be read from {folder}: {error}") from None
    reader = _readers().get(str(config.get(KIND)))
    if reader is None:
        known = ", ".join([*_readers(), COMPOSED, FOUR_BITS])
        raise EngineError(f"the adapter in {folder} is {config.get(KIND)}; served are {known}")
    return reader(folder, config, tensors)


def adapter_files(folder: Path) -> list[str]:
    """The files that `read_adapter` reads in `folder`, by their path in it."""
    try:
        config = parse_json((folder / CONFIG).read_bytes(), dict[str, Any])
    except (OSError, ValueError):
        config = {}  # whoever reads the files says what is wrong with them
    if "parts" not in config:
        return [CONFIG, WEIGHTS]
    parts = [(part.name, file) for part in _parts(folder, config) for file in adapter_files(part)]
    return [CONFIG, *(f"{name}/{file}" for name, file in parts)]


def _parts(folder: Path, config: Mapping[str, Any]) -> list[Path]:
    """The folders of the parts of an adapter, which lie right in its own.

    Raises:
        EngineError: one would lie elsewhere.
    """
    names = config["parts"]
    for name in names:
        if not isinstance(name, str) or not _PART.fullmatch(name):
            raise EngineError(f"{folder / CONFIG} names the part {name!r}, which is no folder in {folder}")
    return [folder / name for name in names]


def _readers() -> "dict[str, Reader]":
    from deploy.adapters.bottleneck import PEFT_TYPE, read_bottlenecks
    from deploy.adapters.low_rank import read_low_rank
    from deploy.adapters.virtual_tokens import read_prefix, read_soft_prompt

    return {
        "LORA": read_low_rank,
        PEFT_TYPE: read_bottlenecks,
        "PREFIX_TUNING": read_prefix,
        "PROMPT_TUNING": read_soft_prompt,
        "P_TUNING": read_soft_prompt,
        REPLACED: _read_replaced,
    }


def _read_replaced(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, "Tensor"]) -> Adapter:
    """Weights under the names that they have in the base; `replaced` tells the shapes there."""
    shapes = config.get("replaced", {})
    if tensors.keys() != shapes.keys():
        raise EngineError(f"the weights in {folder} are not those that its {CONFIG} lists")
    return Adapter(
        updates={
            name: Replacement(tensor=tensor, shape=tuple(shapes[name])) for name, tensor in tensors.items()
        }
    )


def _composed(folder: Path, config: Mapping[str, Any]) -> Adapter:
    """Several adapters in folders of their own, on different parts of the model."""
    parts = [read_adapter(part) for part in _parts(folder, config)]
    updates: dict[str, Any] = {}
    added: dict[str, Any] = {}
    for part in parts:
        twice = sorted((updates.keys() & part.updates.keys()) | (added.keys() & part.added.keys()))
        if twice:
            raise EngineError(f"two parts of the adapter in {folder} change {twice[0]}; give each its own")
        updates |= part.updates
        added |= part.added
    virtual_tokens = [part.virtual_tokens for part in parts if part.virtual_tokens is not None]
    if len(virtual_tokens) > 1:
        raise EngineError(
            f"the adapter in {folder} has {len(virtual_tokens)} sets of virtual tokens; a model reads one"
        )
    return Adapter(updates=updates, added=added, virtual_tokens=virtual_tokens[0] if virtual_tokens else None)
