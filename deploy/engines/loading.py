"""Loads the base model of an engine from its folder: safetensors alone, and no code that lies beside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deploy.errors import EngineError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Dtype = Literal["float32", "bfloat16", "float16"]


def load_model(base: Path, *, dtype: Dtype, device: str) -> "PreTrainedModel":
    """The model in `base`, in this precision and on this device, ready to be asked.

    Raises:
        EngineError: the folder does not hold what it should.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            base,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,  # left open, transformers asks on the terminal whether to run it
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"no model can be read from {base}: {error}; run dvc repro base") from None
    model.to(device).eval()
    return model


def stored_dtype(base: Path) -> str:
    """The precision that the weights in `base` are stored in, by its config."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    return str(config.dtype or "float32").removeprefix("torch.")


def end_ids(model: "PreTrainedModel") -> list[int]:
    """The tokens that end what `model` says, by its own settings."""
    value = model.generation_config.eos_token_id if model.generation_config else None
    if value is None:
        return []
    return [value] if isinstance(value, int) else list(value)
