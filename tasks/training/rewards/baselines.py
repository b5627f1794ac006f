"""What a reward model must beat: rules that look at no content, fitted on the training pairs."""

from collections.abc import Callable, Sequence

from deploy.abstention import abstains
from tasks.rows.grounding import GroundedPreference

# What each rule measures an answer by, and how it is called as it prefers more of it or less.
RULES: dict[str, tuple[Callable[[str], float], str, str]] = {
    "length": (len, "the longer answer wins", "the shorter answer wins"),
    "majority": (abstains, "the abstention wins", "the abstention loses"),
}


def baselines(
    training: Sequence[GroundedPreference], validation: Sequence[GroundedPreference]
) -> dict[str, dict[str, str | float]]:
    """For each rule its direction, which is right more often in training, and its accuracy in validation."""
    found: dict[str, dict[str, str | float]] = {}
    for name, (measure, more, less) in RULES.items():
        right, wins = _share(measure, validation), _share(measure, training) >= 0.5
        found[name] = {"rule": more if wins else less, "accuracy": round(right if wins else 1 - right, 4)}
    return found


def _share(measure: Callable[[str], float], pairs: Sequence[GroundedPreference]) -> float:
    """How often the chosen answer measures more than the rejected one; a tie is half."""
    if not pairs:
        return 0.5
    values = [(measure(pair.chosen), measure(pair.rejected)) for pair in pairs]
    return sum(1.0 if one > other else 0.5 if one == other else 0.0 for one, other in values) / len(values)
