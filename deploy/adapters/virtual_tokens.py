"""Virtual tokens: what prefix, prompt and P-tuning teach a model to have read before every prompt.

Import this module late: torch is needed to define it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

from deploy.adapters.adapter import Adapter
from deploy.errors import EngineError

EMBEDDINGS = "prompt_embeddings"  # the one tensor in the files of PEFT's prompt learning


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValues:
    """Keys and values for every layer, [layers, 2, heads, columns, head width] (Li and Liang 2021)."""

    states: Tensor

    @property
    def columns(self) -> int:
        """How many places of the context it takes."""
        return self.states.shape[3]

    def fill(self, model: PreTrainedModel, cache: Cache) -> None:
        """Put it into an empty cache for one row.

        Raises:
            EngineError: it was trained on a model of another shape.
        """
        layers = model.config.get_text_config().num_hidden_layers
        if len(self.states) != layers:
            raise EngineError(
                f"the prefix has {len(self.states)} layers, the base model {layers}; run dvc repro sft"
            )
        states = self.states.to(model.device, model.dtype)
        for layer, (keys, values) in enumerate(states):
            cache.update(keys.unsqueeze(0), values.unsqueeze(0), layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftPrompt:
    """Embeddings of tokens that no vocabulary has, [columns, width] (Lester et al. 2021; Liu et al. 2021)."""

    embeddings: Tensor

    @property
    def columns(self) -> int:
        """How many places of the context it takes."""
        return len(self.embeddings)

    def fill(self, model: PreTrainedModel, cache: Cache) -> None:
        """Let the model read it into an empty cache for one row.

        Raises:
            EngineError: it was trained on a model of another width.
        """
        width = model.get_input_embeddings().weight.shape[1]
        if self.embeddings.shape[1] != width:
            found = self.embeddings.shape[1]
            raise EngineError(f"the soft prompt is {found} wide, the base model {width}; run dvc repro sft")
        embeddings = self.embeddings.to(model.device, model.dtype).unsqueeze(0)
        model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True, logits_to_keep=1)


def key_values(flat: Tensor, *, layers: int, heads: int) -> Tensor:
    """PEFT's prefix [columns, layers x 2 x heads x head width] as [layers, 2, heads, columns, head width]."""
    return flat.view(len(flat), layers, 2, heads, -1).permute(1, 2, 3, 0, 4)


def read_prefix(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Adapter:
    """The adapter of PEFT's type PREFIX_TUNING."""
    flat = _embeddings(folder, tensors)
    layers, heads = int(config["num_layers"]), int(config["num_attention_heads"])
    return Adapter(virtual_tokens=KeyValues(states=key_values(flat, layers=layers, heads=heads).contiguous()))


def read_soft_prompt(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Adapter:  # noqa: ARG001
    """The adapter of PEFT's types PROMPT_TUNING and P_TUNING: both save the embeddings alone."""
    return Adapter(virtual_tokens=SoftPrompt(embeddings=_embeddings(folder, tensors)))


def _embeddings(folder: Path, tensors: Mapping[str, Tensor]) -> Tensor:
    if tensors.keys() != {EMBEDDINGS}:
        raise EngineError(
            f"the adapter in {folder} must hold {EMBEDDINGS} alone; it has {', '.join(tensors)}"
        )
    return tensors[EMBEDDINGS]
