"""Which models compute the same: PPO that keeps the fine-tuned model leaves two of them.

Whoever asks models need not ask the second.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.adapters.low_rank import LowRank
from deploy.adapters.reading import read_adapter
from deploy.errors import EngineError

if TYPE_CHECKING:
    from torch import Tensor

    from deploy.adapters.adapter import Adapter


def twins(adapters: Mapping[str, Path]) -> dict[str, str]:
    """For each model whose LoRA has the very numbers of an earlier one, the name of that one."""
    first: dict[str, Adapter] = {}
    found = {}
    for model, folder in adapters.items():
        try:
            adapter = read_adapter(folder)
        except EngineError:
            continue  # whoever asks the model says what is wrong with it
        twin = next((name for name, earlier in first.items() if _alike(earlier, adapter)), None)
        if twin is None:
            first[model] = adapter
        else:
            found[model] = twin
    return found


def _alike(one: "Adapter", other: "Adapter") -> bool:
    """Whether both are LoRA alone, of the same numbers."""
    if any(each.added or each.virtual_tokens for each in (one, other)):
        return False
    return one.updates.keys() == other.updates.keys() and all(
        isinstance(update, LowRank)
        and isinstance(others := other.updates[name], LowRank)
        and update.scale == others.scale
        and all(_equal(getattr(update, part), getattr(others, part)) for part in ("down", "up", "magnitude"))
        for name, update in one.updates.items()
    )


def _equal(one: "Tensor | None", other: "Tensor | None") -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and one.equal(other)
