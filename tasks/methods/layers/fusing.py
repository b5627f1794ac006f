"""Layers replaced by faster equals for training: the same numbers up to rounding, fewer passes over memory.

Import this module late: torch is needed.
"""

from pathlib import Path

from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from tasks.methods.layers.fused_llama import fuse_llama
from tasks.methods.layers.fused_lora import fuse_lora


def can_fuse(base: Path, attention: str) -> bool:
    """Whether the layers of the model in `base` can be fused; `attention` is `run.attn_implementation`."""
    return fusible(
        AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False), attention
    )


def fusible(config: PretrainedConfig, attention: str) -> bool:
    """Whether a model is of the family that `fuse_llama` is for, and its attention left to us.

    Other families borrow some of Llama's modules, which does not make them exact.
    """
    return config.model_type == "llama" and attention in ("auto", "sdpa")


def fuse_layers(
    model: PreTrainedModel, *, attention: str = "auto", lora: bool = True, recompute: bool = False
) -> bool:
    """Replace layers by faster equals; whether those of the base are now (not: `fusible` says no).

    `lora`: LoRA layers train as one product. `recompute`: activations are computed anew, not kept.
    """
    if lora:
        fuse_lora(model)
    if recompute:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return fusible(model.config, attention) and fuse_llama(model) > 0
