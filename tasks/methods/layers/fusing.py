"""Layers replaced by faster equals for training: the same numbers up to rounding, fewer passes over memory.

Import this module late: torch is needed.
"""

from pathlib import Path

from transformers import AutoConfig, PreTrainedModel

from tasks.methods.layers.fused_llama import fuse_llama
from tasks.methods.layers.fused_lora import fuse_lora


def can_fuse(base: Path) -> bool:
    """Whether the layers of the model in `base` are of the family that `fuse_llama` is for."""
    return bool(AutoConfig.from_pretrained(base, local_files_only=True).model_type == "llama")


def fuse_layers(model: PreTrainedModel, *, lora: bool = True, recompute: bool = False) -> bool:
    """Replace layers by faster equals; whether those of the base are now (not: another family).

    `lora`: LoRA layers train as one product. `recompute`: activations are computed anew, not kept.
    """
    if lora:
        fuse_lora(model)
    if recompute:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return fuse_llama(model) > 0
