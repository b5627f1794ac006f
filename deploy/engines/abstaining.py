"""When a model abstains: by the chance that it gives to the whole sentence, not by the token that wins.

A greedy model abstains where the first token of the sentence is the likeliest, which is not where it should:
answers may share that token, and many wordings of an answer share the chance that one abstention has alone.
So the chance of the sentence is read before anything is said. From a threshold on it is said; below, it is
taken out of the distribution, and the model goes on with what it would say otherwise. A small model tells
badly whether its sources answer; how much of the question they cover says something that it does not see, so
the threshold may rise with the coverage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


_LIKELIEST = 0.5
_SMALLEST = 1e-6  # chances are compared by their log-odds, which are finite only inside of 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstaining:
    """From which chance of the abstention on a model says it.

    `threshold` is that chance where the sources cover nothing of the question: 0 always abstains, 1 never.
    Where they cover all of it (a coverage of 1), the log-odds of the chance must be greater by
    `coverage_weight`, and between in proportion.
    """

    threshold: float
    coverage_weight: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.threshold <= 1.0 and 0.0 <= self.coverage_weight < math.inf):
            raise ValueError("a threshold lies in 0..1, and the weight of coverage is 0 or greater")

    def abstains(self, chance: float, coverage: float) -> bool:
        """Whether a model with this chance of the abstention says it, over sources of this coverage."""
        if self.threshold in (0.0, 1.0):
            return self.threshold == 0.0
        return evidence(chance, coverage, coverage_weight=self.coverage_weight) >= _log_odds(self.threshold)

    def distance(self, chance: float, coverage: float) -> float:
        """How far what speaks for abstaining is from where it is said, in log-odds; inf if it never turns.

        0 where the sentence is likeliest and must not be said: what is left then hangs on the last digits.
        """
        if chance >= _LIKELIEST and not self.abstains(chance, coverage):
            return 0.0
        if self.threshold in (0.0, 1.0):
            return math.inf
        found = evidence(chance, coverage, coverage_weight=self.coverage_weight)
        return abs(found - _log_odds(self.threshold))

    def chance_at(self, coverage: float) -> float:
        """The chance from which on a model abstains over sources of this coverage."""
        if self.threshold in (0.0, 1.0):
            return self.threshold
        return chance_of(_log_odds(self.threshold) + self.coverage_weight * coverage)


def evidence(chance: float, coverage: float, *, coverage_weight: float) -> float:
    """What speaks for abstaining, as log-odds: the model's chance of it, less what the sources cover."""
    return _log_odds(min(max(chance, _SMALLEST), 1.0 - _SMALLEST)) - coverage_weight * coverage


def chance_of(log_odds: float) -> float:
    """The chance that has these log-odds."""
    small = math.exp(-abs(log_odds))  # the other way round it could overflow
    return (1.0 if log_odds >= 0.0 else small) / (1.0 + small)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The tokens of the sentence with its end of turn, and for each row of a batch when it is said."""

    tokens: tuple[int, ...]
    rule: Abstaining
    coverage: tuple[float, ...]

    def abstains(self, chances: Sequence[float]) -> list[bool]:
        """For each row whether it abstains, given these chances."""
        return [
            self.rule.abstains(chance, covered)
            for chance, covered in zip(chances, self.coverage, strict=True)
        ]


class Gating:
    """Steers the rows of one batch: those that abstain onto the sentence, the others off it."""

    def __init__(self, gate: Gate, chances: Sequence[float]) -> None:
        self._gate, self._chances = gate, list(chances)
        self._abstains = gate.abstains(chances)
        # Of each row the chance of the part of the sentence that it has said; None once it has left it.
        self._said: list[float | None] = [1.0 for _ in chances]
        self._step = 0

    def forces(self, row: int) -> bool:
        """Whether the next token of `row` is one of the sentence, whatever its logits are."""
        return self._abstains[row] and self._said[row] is not None and self._step < len(self._gate.tokens)

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
    """Whether any row could say the sentence: its first token wins, or is likely enough to abstain by it.

    Else nobody need read the whole sentence.
    """
    import torch

    first = gate.tokens[0]
    likely = gate.abstains(torch.softmax(logits.float(), dim=-1)[:, first].tolist())
    return any(likely) or bool((logits.argmax(-1) == first).any())


def _log_odds(chance: float) -> float:
    return math.log(chance / (1.0 - chance))
