"""Weights that were trained from an embedder and lie in a folder of it: read in full, or refused by name."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.errors import KnowledgeError
from deploy.files import sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS = "weights.safetensors"


def learned(model: "nn.Module") -> "dict[str, Tensor]":
    """What of `model` learns, by its names."""
    return {
        name: each.detach().cpu().contiguous()
        for name, each in model.named_parameters()
        if each.requires_grad
    }


def read_weights(folder: Path, *, checksum: str, advice: str) -> "dict[str, Tensor]":
    """The weights in `folder`, which have this sha256; `advice` ends every message.

    Raises:
        KnowledgeError: they cannot be read, or are others.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / WEIGHTS
    try:
        if sha256_of(path) == checksum:
            return load_file(path)
    except OSError as error:
        raise KnowledgeError(f"{path} cannot be read: {error.strerror}; {advice}") from None
    except SafetensorError as error:
        raise KnowledgeError(f"{path} holds no weights: {error}; {advice}") from None
    raise KnowledgeError(f"{path} is damaged: its checksum is not the one that was noted; {advice}")


def put_weights(
    model: "nn.Module",
    weights: "Mapping[str, Tensor]",
    folder: Path,
    *,
    needed: Collection[str] = (),
    advice: str,
) -> None:
    """Set the parameters of `model` that `weights`, read from `folder`, have; it has to have all of them.

    Raises:
        KnowledgeError: some do not fit, hold no numbers, or are `needed` and not there.
    """
    own: dict[str, Any] = model.state_dict()
    wrong = [
        name
        for name, each in weights.items()
        if name not in own or own[name].shape != each.shape or not each.isfinite().all()
    ]
    wrong += [name for name in needed if name not in weights]
    if wrong:
        raise KnowledgeError(
            f"{folder} does not fit the embedder: {', '.join(wrong)} in {WEIGHTS} cannot be used; {advice}"
        )
    model.load_state_dict(dict(weights), strict=False)
