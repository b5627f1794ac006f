"""What a reward model must beat: rules that look at no content, fitted on the training pairs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.abstention import abstains
from tasks.rows.grounding import GroundedPreference


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A rule's accuracy on validation pairs; a tie counts as half."""

    rule: str
    accuracy: float


def length_baseline(
    training: Sequence[GroundedPreference], validation: Sequence[GroundedPreference]
) -> Baseline:
    """Prefers the longer answer, or the shorter one, whichever is right more often in training."""
    return _fitted("the longer answer wins", "the shorter answer wins", len, training, validation)


def majority_baseline(
    training: Sequence[GroundedPreference], validation: Sequence[GroundedPreference]
) -> Baseline:
    """Prefers the answer that abstains, or the other, whichever is right more often in training."""
    return _fitted("the abstention wins", "the abstention loses", abstains, training, validation)


def _fitted(
    more: str,
    less: str,
    measure: Callable[[str], float],
    training: Sequence[GroundedPreference],
    validation: Sequence[GroundedPreference],
) -> Baseline:
    right = _share(measure, validation)
    if _share(measure, training) >= 0.5:
        return Baseline(rule=more, accuracy=right)
    return Baseline(rule=less, accuracy=1 - right)


def _share(measure: Callable[[str], float], pairs: Sequence[GroundedPreference]) -> float:
    """How often the chosen answer measures more than the rejected one; a tie is half."""
    if not pairs:
        return 0.5
    values = [(measure(pair.chosen), measure(pair.rejected)) for pair in pairs]
    return sum(1.0 if one > other else 0.5 if one == other else 0.0 for one, other in values) / len(values)
