"""The parts of an adapter. Imports torch late: the types alone cost nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache


class Update(Protocol):
    """What becomes of one weight of the base."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the base's weight that it fits."""
        ...

    def of(self, weight: "Tensor") -> "Tensor":
        """The new weight, in float32; `weight` is that of the base and stays as it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A weight that training has changed as a whole; it may be smaller than the one that it replaces."""

    tensor: "Tensor"
    shape: tuple[int, ...]

    def of(self, weight: "Tensor") -> "Tensor":
        """The new weight."""
        return self.tensor.to(weight.device, weight.dtype)


class VirtualTokens(Protocol):
    """What a model has read before every prompt without any text: `columns` entries of its cache."""

    @property
    def columns(self) -> int:
        """How many places of the context it takes."""
        ...

    def fill(self, model: "PreTrainedModel", cache: "Cache") -> None:
        """Put it into an empty cache for one row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """All that makes a tuned model of the base one.

    `updates` are by the name of the parameter, `added` by the name of the module whose output y becomes
    y + added(y).
    """

    updates: Mapping[str, Update] = field(default_factory=dict)
    added: Mapping[str, "Callable[[Tensor], Tensor]"] = field(default_factory=dict)
    virtual_tokens: VirtualTokens | None = None
