"""Whether what a search has found is more than luck: it and LoRA as params.yaml sets it, by further seeds.

The lowest of many losses is low by chance, too. So the choice has to be better than the usual method in
further trainings, by more than trainings of one setting differ among themselves; else the usual one stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from tasks.errors import TrainingError
from tasks.training.searching.halving import Rung
from tasks.training.searching.journal import Attempt
from tasks.training.searching.proposals import Candidate

TrySeed = Callable[[Candidate, Rung, int], Attempt]  # with so much added to run.seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The validation losses of both, a training each, and whether those of the choice are clearly lower."""

    found: tuple[float, ...]
    usual: tuple[float, ...]
    attempts: tuple[Attempt, ...]

    @property
    def spread(self) -> float:
        """By how much trainings of one setting differ at most."""
        return max(max(losses) - min(losses) for losses in (self.found, self.usual))

    @property
    def holds(self) -> bool:
        """Whether the choice is better by more than that."""
        return fmean(self.usual) - fmean(self.found) > self.spread

    def sentence(self) -> str:
        """What was found, in words."""
        told = ", ".join(f"{fmean(losses):.4f}" for losses in (self.found, self.usual))
        verdict = "it is chosen" if self.holds else "lora stands as params.yaml sets it"
        return (
            f"trained anew by {len(self.found)} seeds, the best setting and lora have mean validation losses "
            f"of {told}; seeds differ by {self.spread:.4f}: {verdict}"
        )


def confirm(found: Candidate, usual: Candidate, rung: Rung, seeds: int, attempt: TrySeed) -> Confirmation:
    """Train both with `seeds` further seeds under the tokens of `rung`.

    `rung` is one behind those of the search, so that the journal tells its attempts apart.

    Raises:
        TrainingError: one of the trainings failed, so nothing is known.
    """
    attempts: list[Attempt] = []
    for seed in range(1, seeds + 1):
        for side, candidate in enumerate((found, usual)):
            numbered = Candidate(number=2 * seed + side, method=candidate.method, settings=candidate.settings)
            attempts.append(attempt(numbered, rung, seed))
    if failed := next((done for done in attempts if done.loss is None), None):
        raise TrainingError(
            f"whether the best setting beats lora cannot be told: a training of {failed.method} by another "
            f"seed failed ({failed.failed}); see to that and run again, or set search.confirmations: 0"
        )
    losses = [done.loss for done in attempts if done.loss is not None]
    return Confirmation(found=tuple(losses[::2]), usual=tuple(losses[1::2]), attempts=tuple(attempts))
