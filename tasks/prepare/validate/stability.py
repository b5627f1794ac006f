"""How far two runs are apart in one feature, and how far chance alone would have taken them.

The population stability index is the sum of (p - q) ln(p / q) over the cells, where p and q are their shares
then and now. It is 0 where nothing differs; by custom 0.1 is worth a look, and 0.25 another population. Few
rows differ by chance alone, and would pass the customary bounds: the index of n rows against m of the same
kind is about a chi-square variable times 1/n + 1/m (Yurdakul, Statistical properties of the population
stability index). Rows come in groups here, which `Spread.alike` accounts for (as Rao and Scott correct it).
"""

import math

from tasks.prepare.validate.profile import Spread

QUANTILE = 3.72  # of the normal distribution: chance goes beyond it once in 10,000 comparisons


def index(then: Spread, now: Spread) -> float:
    """The population stability index.

    Each cell has half a draw more on both sides, so that one that was empty is no infinite change.
    """
    cells = {*then.rows, *now.rows}
    half = {cell: max(then.alike.get(cell, 0.0), now.alike.get(cell, 0.0), 1.0) / 2 for cell in cells}
    before, today = (sum(spread.rows.values()) + sum(half.values()) for spread in (then, now))
    total = 0.0
    for cell in sorted(cells):
        p = (then.rows.get(cell, 0.0) + half[cell]) / before
        q = (now.rows.get(cell, 0.0) + half[cell]) / today
        total += (p - q) * math.log(p / q)
    return total


def chance(then: Spread, now: Spread) -> float:
    """The index that two runs over the same sources hardly ever exceed; infinite where nothing tells it."""
    before, today = sum(then.rows.values()), sum(now.rows.values())
    parts = min(then.parts, now.parts)
    if not before or not today or parts < 2:
        return math.inf
    expected = [
        then.alike.get(cell, 0.0) / before + now.alike.get(cell, 0.0) / today
        for cell in sorted({*then.rows, *now.rows})
    ]
    mean = sum(expected)
    if mean == 0.0:
        return 0.0
    # Satterthwaite's degrees of freedom; more than the random parts have nobody can know.
    freedom = min(mean * mean / sum(value * value for value in expected), parts - 1)
    # Wilson and Hilferty's approximation of the quantile of chi-square over its mean.
    return mean * (1 - 2 / (9 * freedom) + QUANTILE * math.sqrt(2 / (9 * freedom))) ** 3
