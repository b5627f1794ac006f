"""Scores with their intervals as a row of dots and whiskers, one small SVG for each row of a table."""

from dataclasses import dataclass

# As high as a row of the table, so that the lines of the rows join.
WIDTH, HEIGHT, MARGIN = 200, 56, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisker:
    """The places of one row's marks on the x axis, in the units of the picture."""

    low: float
    dot: float
    high: float
    majority: float
    label: str


def whisker(*, score: float, low: float, high: float, majority: float) -> Whisker:
    """Where the marks of a score in 0..1 stand."""
    return Whisker(
        low=place(low),
        dot=place(score),
        high=place(high),
        majority=place(majority),
        label=f"score {score:.3f}, 95 % interval {low:.3f} to {high:.3f}",
    )


def place(share: float) -> float:
    """The x of a value in 0..1."""
    return round(MARGIN + min(max(share, 0.0), 1.0) * (WIDTH - 2 * MARGIN), 1)
