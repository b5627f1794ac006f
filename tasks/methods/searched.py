"""Between which values the search may change a setting of a method.

Ranges of learning rates span a factor of 100 around those of the papers, towards those that small models
take.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = int | float | str
ALL_LINEAR = "all-linear"


@dataclass(frozen=True, slots=True)
class Between:
    """A number from a range, drawn on a logarithmic scale."""

    low: float
    high: float

    def including(self, value: Value) -> "Between":
        """The smallest range that also holds `value`."""
        return Between(min(self.low, float(value)), max(self.high, float(value)))

    def suggest(self, trial: "Trial", name: str) -> Value:
        """What the sampler draws."""
        return trial.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True, slots=True)
class Among:
    """One of several values."""

    values: tuple[Value, ...]

    def including(self, value: Value) -> "Among":
        """The values with `value` among them."""
        return self if value in self.values else Among((*self.values, value))

    def suggest(self, trial: "Trial", name: str) -> Value:
        """What the sampler draws."""
        drawn = trial.suggest_categorical(name, self.values)
        assert drawn is not None
        return drawn


Dimension = Between | Among
RANKS = Among((4, 8, 16, 32, 64))
TOKENS = Among((5, 10, 20, 40))
TARGETS = Among((ALL_LINEAR,))  # and the sublayers that the model has
