"""What a model is like without its numbers: the one in a folder, or a usual one of a size."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

HEAD, WORDS = 64, 32_000  # width of an attention head, size of a vocabulary
STORED = 2  # bytes of a number in a file, which most models have


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The configuration of a model, the bytes of its weights on disk, and its tokenizer if it is there."""

    config: "PretrainedConfig"
    stored: int
    tokenizer: "PreTrainedTokenizerBase | None" = None


def shape_in(base: Path) -> ModelShape:
    """The shape of the model in the folder `base`."""
    from transformers import AutoConfig

    from deploy.engines.chat import load_tokenizer

    return ModelShape(
        config=AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False),
        stored=sum(path.stat().st_size for path in base.glob("*.safetensors")),
        tokenizer=load_tokenizer(base),
    )


def usual_shape(parameters: int) -> ModelShape:
    """A Llama of about so many parameters, in the proportions of the family (Touvron et al. 2023).

    Its width is 128 times its layers, and its feed-forward part 8/3 as wide.
    """
    from transformers import LlamaConfig

    def size(heads: int) -> int:
        width, layers = heads * HEAD, max(heads // 2, 1)
        return WORDS * width + layers * 12 * width**2

    heads = 1
    while abs(size(heads + 1) - parameters) < abs(size(heads) - parameters):
        heads += 1
    width = heads * HEAD
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=width,
        intermediate_size=8 * width // 3,
        num_hidden_layers=max(heads // 2, 1),
        num_attention_heads=heads,
        num_key_value_heads=heads,
        tie_word_embeddings=True,
    )
    return ModelShape(config=config, stored=STORED * parameters)
