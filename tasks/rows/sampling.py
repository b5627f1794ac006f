"""Draws rows so that the kinds among them keep their shares."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def stratified(rows: Sequence[T], count: int, *, key: Callable[[T], str], seed: int) -> list[T]:
    """At most `count` of `rows`, in their order, each stratum in its share (largest remainders).

    The draw depends on the rows' order, `count` and `seed` alone.
    """
    if count >= len(rows):
        return list(rows)
    strata: dict[str, list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        strata[key(row)].append(position)
    exact = {name: len(members) * count / len(rows) for name, members in strata.items()}
    quota = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (quota[name] - exact[name], name))
    for name in by_remainder[: count - sum(quota.values())]:
        quota[name] += 1
    drawn = random.Random(seed)
    chosen = [position for name in sorted(strata) for position in drawn.sample(strata[name], quota[name])]
    return [rows[position] for position in sorted(chosen)]
