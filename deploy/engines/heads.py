"""What prompts begin with alike, kept from one to the next: the system turn is read once for each model.

Nothing of a question or its sources is kept: how fast an answer comes tells nobody what others have asked.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.chat import prompt_ids
from deploy.engines.prefix import common_prefix
from deploy.messages import Message

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase
    from transformers.cache_utils import Cache

LEAST = 16  # tokens: a shorter head costs as much to copy as to read
_LONGEST = 1024  # tokens: memory is kept for it
_MOST = 4  # heads: those of two models, with sources and without


@dataclass(frozen=True, slots=True)
class Head:
    """The keys and values [1, heads, tokens, width] of each layer for the tokens of a head."""

    tokens: int
    layers: tuple[tuple["torch.Tensor", "torch.Tensor"], ...]

    def fill(self, cache: "Cache") -> None:
        """Put them behind what `cache` holds."""
        for at, (keys, values) in enumerate(self.layers):
            cache.update(keys, values, at)


class Heads:
    """The heads that were read last, of each model."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, tuple[int, ...]], Head] = OrderedDict()

    @staticmethod
    def pays(tokens: Sequence[int]) -> bool:
        """Whether to keep what is made of these tokens costs less than to read them each time."""
        return LEAST <= len(tokens) <= _LONGEST

    def find(self, model: str, tokens: Sequence[int]) -> Head | None:
        """What `model` has made of these tokens at the beginning of a prompt, if that is still kept."""
        key = model, tuple(tokens)
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def keep(self, model: str, tokens: Sequence[int], cache: "Cache", *, behind: int) -> Head:
        """Keep what `cache` holds of these tokens, which lie `behind` so many columns of it."""
        end = behind + len(tokens)
        layers = tuple(
            (layer.keys[:1, :, behind:end].clone(), layer.values[:1, :, behind:end].clone())
            for layer in cache.layers
        )
        head = self._kept[model, tuple(tokens)] = Head(len(tokens), layers)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return head


def head_of(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], tokens: Sequence[int]) -> int:
    """How many of the `tokens` of a conversation are its system turn, and the opening of the next."""
    if len(messages) < 2 or messages[0].role != "system":
        return 0
    others = [prompt_ids(tokenizer, [messages[0], Message("user", text)]) for text in ("?", "a")]
    return common_prefix([tokens, *others])
