"""Vision transformers as a head reads them: the state of the class token. Import this module late."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import PreTrainedModel, ViTConfig, ViTForImageClassification

from deploy.adapters.adapter import VirtualTokens
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.methods.method import Hidden
from tasks.recipes.heads.headed import States

if TYPE_CHECKING:
    from tasks.recipes.heads.pictures import Pixels

KNOWN = "vit"  # the model type whose first state is that of the class token


def load_vit(folder: Path, device: Device) -> PreTrainedModel:
    """The vision transformer in `folder`, frozen, in float32: such models are small.

    Raises:
        TrainingError: it cannot be read, or is of another kind.
    """
    from transformers import AutoConfig

    try:
        kind = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).model_type
        if kind != KNOWN:
            raise TrainingError(f"{folder} holds a model of type {kind}; images.model takes {KNOWN} alone")
        model = ViTForImageClassification.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        raise TrainingError(f"no vision transformer can be read from {folder}: {error}") from None
    model.classifier = torch.nn.Identity()  # our head reads the state itself
    return model.requires_grad_(False).to(device.name)


def new_vit(*, size: int, patch: int, width: int, layers: int) -> PreTrainedModel:
    """A vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) that has learnt nothing yet."""
    config = ViTConfig(
        image_size=size,
        patch_size=patch,
        num_channels=1,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = ViTForImageClassification(config)
    model.classifier = torch.nn.Identity()
    return model


def class_states(
    model: PreTrainedModel,
    virtual_tokens: VirtualTokens | None,
    hidden: Hidden | None,
) -> States:
    """Gives the state of the class token of each picture, [pictures, width]."""
    assert virtual_tokens is None, "nothing stands before a picture: such methods are refused"
    assert hidden is None

    def states(pixels: "Pixels") -> Tensor:
        found = model.get_decoder()(pixel_values=torch.from_numpy(pixels).to(model.device))
        first: Tensor = found.last_hidden_state[:, 0]
        return first

    return states
