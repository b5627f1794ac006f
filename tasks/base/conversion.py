"""GGUF files turned into a folder that can be trained: dequantised safetensors and a tokenizer."""

import struct
from pathlib import Path

from tasks.errors import SourceError


def convert_gguf(file: Path, *, into: Path, dtype: str) -> None:
    """Write the model in `file` as safetensors in `dtype`, with its configuration and tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig, PreTrainedTokenizerFast

    try:
        model = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            dtype=getattr(torch, dtype),
            # Without it the weights stay in quantised blocks, which can be neither saved nor trained.
            quantization_config=GgufConfig(dequantize=True),
        )
        # Not AutoTokenizer: it parses the whole file once more to learn the model's type.
        tokenizer = PreTrainedTokenizerFast.from_pretrained(file.parent, gguf_file=file.name)
    except (ValueError, LookupError, OSError, struct.error) as error:
        raise SourceError(
            f"{file.name} cannot be converted: {error}; name a model in safetensors instead"
        ) from error
    for name in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(name, None)  # they tell how it was loaded, not what it is
    model.save_pretrained(into)
    for weights in into.glob("*.safetensors"):
        weights.chmod(0o644)  # written for their owner alone, but a server may run as someone else
    tokenizer.save_pretrained(into)
