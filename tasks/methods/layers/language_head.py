"""From final states to logits as the model itself goes: some families scale them, or cap them softly.

Import this module late: torch is needed to define it.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput


def head_logits(model: PreTrainedModel, states: Tensor) -> Tensor:
    """The logits [..., vocabulary] in float32 of final states [..., width], of any positions.

    They are those of the model's own forward pass, in which its decoder is for a moment one that gives these
    states: what a family does behind its head (Granite divides, Cohere multiplies, Gemma 2 caps) is done, and
    nothing is computed for positions that are not asked for.
    """
    decoder = model.get_decoder()
    place = next(name for name, module in model.named_modules() if module is decoder)
    parent, _, last = place.rpartition(".")
    inside = model.get_submodule(parent)
    flat = states.reshape(1, -1, states.shape[-1])
    setattr(inside, last, _Given(flat))
    try:
        # That of the class: the instance's may be what several processes exchange gradients around.
        made = type(model).forward(model, inputs_embeds=flat, use_cache=False).logits
    finally:
        setattr(inside, last, decoder)
    logits: Tensor = made.float()
    return logits.view(*states.shape[:-1], logits.shape[-1])


@dataclass
class _States(ModelOutput):
    """What some family or other reads of its decoder's output; a few read names that others have not."""

    last_hidden_state: Tensor | None = None
    past_key_values: None = None
    hidden_states: None = None
    attentions: None = None
    cross_attentions: None = None
    router_logits: None = None


class _Given(nn.Module):
    """In a decoder's place: final states that are there already."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self._states = states

    def forward(self, *_: Any, **__: Any) -> _States:
        """The states."""
        return _States(last_hidden_state=self._states)
