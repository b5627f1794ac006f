"""A model with a head for labels, written and read again. Import this module late: torch is needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from deploy.adapters.adapter import VirtualTokens
from deploy.adapters.switching import Adapters
from deploy.atomic import write_json
from deploy.files import parse_json
from tasks.errors import TrainingError
from tasks.methods.method import Hidden
from tasks.methods.parts.files import write_tensors

ADAPTER, HEAD, LABELS = "adapter", "head.safetensors", "labels.json"
_NAME = "tuned"

# The states of a batch that the head reads, [rows, width].
States = Callable[[Any], Tensor]
# Makes it of a model, what the model has read before every prompt, and a method's own way to final states.
Reader = Callable[[PreTrainedModel, VirtualTokens | None, Hidden | None], States]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headed:
    """A model that gives scores for `labels`, [rows, labels]."""

    model: PreTrainedModel
    states: States
    head: nn.Linear
    labels: tuple[str, ...]

    def scores(self, batch: Any) -> Tensor:
        """The scores of each label for each row, before any softmax."""
        found: Tensor = self.head(self.states(batch).float())
        return found

    @torch.no_grad()
    def predict(self, batches: Sequence[Any]) -> list[str]:
        """The likeliest label of every row, in order."""
        self.model.eval()
        best = [place for batch in batches for place in self.scores(batch).argmax(dim=1).tolist()]
        return [self.labels[place] for place in best]


def new_head(model: PreTrainedModel, labels: int) -> nn.Linear:
    """A head that starts at zero: every label is as likely as any other."""
    head = nn.Linear(model.config.get_text_config().hidden_size, labels).to(model.device)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def write_head(headed: Headed, folder: Path) -> None:
    """Write head and labels into `folder`; the adapter stands in its subfolder `adapter`."""
    write_tensors(headed.head.state_dict(), folder / HEAD)
    write_json(folder / LABELS, {"labels": list(headed.labels)})


def read_headed(model: PreTrainedModel, folder: Path, reader: Reader) -> Headed:
    """`model`, fresh from its base, with the adapter and the head in `folder`.

    Raises:
        EngineError: the adapter belongs to another base.
        TrainingError: the head is missing, or is of another width.
    """
    try:
        labels = tuple(parse_json((folder / LABELS).read_bytes(), dict[str, list[str]])["labels"])
        tensors = load_file(folder / HEAD)
        head = new_head(model, len(labels))
        head.load_state_dict(tensors)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise TrainingError(f"no head for this model can be read from {folder}: {error}") from None
    adapters = Adapters(model, {_NAME: folder / ADAPTER}, stored=model.dtype)
    adapters.activate(_NAME)
    return Headed(
        model=model.eval(), states=reader(model, adapters.virtual_tokens, None), head=head, labels=labels
    )
