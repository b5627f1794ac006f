"""One request to an engine that answers several at once, and the answer in the making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.abstaining import Gate, Gating
from deploy.engines.batch import Batch
from deploy.engines.choosing import Choose
from deploy.engines.engine import Piece, Sampling
from deploy.engines.grammar import Following
from deploy.engines.transcript import Transcript

if TYPE_CHECKING:
    import torch

Heard = Piece | Exception | None  # None: the request was given up


@dataclass(frozen=True, slots=True)
class Read:
    """A prompt that was read, as `row` of a batch.

    With the logits [1, vocabulary] that follow, and the chance of the abstention, if it counts.
    """

    batch: Batch
    row: int
    logits: "torch.Tensor"
    chance: float | None


@dataclass(slots=True)
class Shared:
    """What the choices of one request have in common: read for the first, and kept until the last begins."""

    waiting: int
    read: Read | None = None

    def begin(self, read: Read) -> None:
        """Note that one of them begins with what was read."""
        self.waiting -= 1
        self.read = read if self.waiting else None


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request: its prompt, and `put`, which gets the pieces of the answer, or what went wrong.

    It is one choice of the request that `shared` is of. The first `head` tokens of the prompt are its system
    turn. `keeping` has the schema that the answer keeps to. `gone` says whether it is still wanted. The last
    that `put` gets is a piece with an end, an exception or None.
    """

    prompt: list[int]
    head: int
    model: str
    sampling: Sampling
    transcript: Transcript
    shared: Shared
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
        """Choose the next token by `logits` [1, vocabulary], tell what it adds; whether another is wanted.

        An abstention is said at once: nothing has to be read for what is known. Who asks for the chances of
        tokens gets it one by one, because those are the model's own.
        """
        goes_on = self._add(logits)
        transcript = self.asked.transcript
        while goes_on and self.gating and self.gating.forces(0) and self.asked.sampling.chances is None:
            goes_on = self._add(logits)
        if not goes_on:
            self.asked.put(transcript.rest(len(self.asked.prompt)))
        elif piece := transcript.settled():
            self.asked.put(piece)
        return goes_on

    def _add(self, logits: "torch.Tensor") -> bool:
        steered = self.gating.steered([0], logits) if self.gating else logits
        [self.token] = self.choose([0], steered)
        if self.gating:
            self.gating.follow([0], [self.token])
        transcript = self.asked.transcript
        if self.asked.sampling.chances is not None:
            transcript.weigh(self.token, logits[0])
        return transcript.add(self.token)
