"""When a model abstains: by the chance that it gives to the whole sentence, not by the token that wins.

A greedy model abstains where the first token of the sentence is the likeliest, which is not where it should:
answers may share that token, and many wordings of an answer share the chance that one abstention has alone.
So the chance of the sentence is read before anything is said. From `threshold` on it is said; below, it is
taken out of the distribution, and the model goes on with what it would say otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The tokens of the sentence with its end of turn, and the chance from which on it is said."""

    tokens: tuple[int, ...]
    threshold: float


class Gating:
    """Steers the rows of one batch: those that abstain onto the sentence, the others off it."""

    def __init__(self, gate: Gate, chances: Sequence[float]) -> None:
        self._gate, self._chances = gate, list(chances)
        self._abstains = [chance >= gate.threshold for chance in chances]
        # Of each row the chance of the part of the sentence that it has said; None once it has left it.
        self._said: list[float | None] = [1.0 for _ in chances]
        self._step = 0

    def steered(self, rows: Sequence[int], logits: "torch.Tensor") -> "torch.Tensor":
        """The logits [rows, vocabulary] of this step, under which no row says part of what it should not."""
        import torch

        if self._step >= len(self._gate.tokens) or all(self._said[row] is None for row in rows):
            return logits
        token = self._gate.tokens[self._step]
        logits = logits.float().clone()
        for place, row in enumerate(rows):
            said = self._said[row]
            if said is None:
                continue
            if self._abstains[row]:
                logits[place] = torch.full_like(logits[place], -torch.inf)
                logits[place, token] = 0.0
                continue
            chance = float(torch.softmax(logits[place], dim=-1)[token])
            self._said[row] = said * chance
            left = (
                max(chance - self._chances[row] / said, 0.0) / chance if said > 0.0 and chance > 0.0 else 0.0
            )
            logits[place, token] += torch.tensor(left).log()
        return logits

    def follow(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Note what each row has said."""
        wanted = self._gate.tokens[self._step] if self._step < len(self._gate.tokens) else None
        for row, token in zip(rows, tokens, strict=True):
            if token != wanted:
                self._said[row] = None
        self._step += 1


def may_abstain(gate: Gate, logits: "torch.Tensor") -> bool:
    """Whether any row could say the sentence: its first token wins, or is likely enough for the threshold.

    Else nobody need read the whole sentence.
    """
    import torch

    first = gate.tokens[0]
    likely = torch.softmax(logits.float(), dim=-1)[:, first] >= gate.threshold
    return bool((likely | (logits.argmax(-1) == first)).any())
