"""One request to an engine that answers several at once, and the answer in the making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.abstaining import Gate, Gating
from deploy.engines.choosing import Choose
from deploy.engines.engine import Piece, Sampling
from deploy.engines.grammar import Following
from deploy.engines.transcript import Transcript

if TYPE_CHECKING:
    import torch

Heard = Piece | Exception | None  # None: the request was given up


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request: its prompt, and `put`, which gets the pieces of the answer, or what went wrong.

    The first `head` tokens of the prompt are its system turn. `keeping` has the schema that the answer keeps
    to. `gone` says whether it is still wanted. The last that `put` gets is a piece with an end, an exception
    or None.
    """

    prompt: list[int]
    head: int
    model: str
    sampling: Sampling
    transcript: Transcript
    gate: Gate | None
    keeping: Sequence[Following] | None
    put: Callable[[Heard], object]
    gone: Callable[[], bool]


@dataclass(slots=True)
class Row:
    """An answer in the making: what chooses its tokens, and the last one chosen."""

    asked: Asked
    choose: Choose
    gating: Gating | None
    token: int = -1

    def say(self, logits: "torch.Tensor") -> bool:
        """Choose the next token by `logits` [1, vocabulary], tell what it adds; whether another is wanted."""
        steered = self.gating.steered([0], logits) if self.gating else logits
        [self.token] = self.choose([0], steered)
        if self.gating:
            self.gating.follow([0], [self.token])
        transcript = self.asked.transcript
        goes_on = transcript.add(self.token)
        if goes_on:
            if text := transcript.settled():
                self.asked.put(Piece(text=text))
        else:
            end = transcript.generation(len(self.asked.prompt))
            self.asked.put(Piece(text=transcript.rest(), end=end))
        return goes_on
