"""The order of the rows, drawn before training starts, and the steps at which something happens.

A killed run goes on with the very batches that it would have had, and every trained token can be counted
beforehand.
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

POOL = 12  # batches of rows that are sorted by length together: little padding, yet mixed batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The rows in the order in which they are trained on, and how many make a step."""

    order: tuple[int, ...]
    rows_per_step: int

    @property
    def steps(self) -> int:
        """How many optimiser steps a whole run has."""
        return math.ceil(len(self.order) / self.rows_per_step)

    def within(self, tokens: int, lengths: Sequence[int]) -> "Schedule":
        """As many whole steps of it as have at most `tokens` of them, and one at least."""
        steps = 1
        while steps < self.steps and sum(lengths[row] for row in self.until(steps + 1)) <= tokens:
            steps += 1
        return Schedule(order=self.until(steps), rows_per_step=self.rows_per_step)

    def at(self, step: int) -> tuple[int, ...]:
        """The rows of the step number `step`, from 0."""
        return self.order[step * self.rows_per_step : (step + 1) * self.rows_per_step]

    def until(self, step: int) -> tuple[int, ...]:
        """The rows that have been trained on after `step` steps, repeated as often as they were."""
        return self.order[: step * self.rows_per_step]


def schedule(
    lengths: Sequence[int],
    *,
    batch_size: int,
    accumulation: int = 1,
    epochs: int = 1,
    seed: int,
    together: Sequence[Sequence[int]] | None = None,
    by_length: bool = True,
) -> Schedule:
    """A seeded order; with `by_length` the rows of a batch are of about one length, so little is padded.

    Groups of rows that belong `together` (each row in one of them; without it each alone) stay together.
    Where padding costs nothing, `by_length=False` is better: rows of one length are often of one kind, and
    batches of one kind pull the model to and fro. Then all but the last groups stand in one batch each, and
    those that are as large as a batch fill one.
    """
    drawn = random.Random(seed)
    groups = [[row] for row in range(len(lengths))] if together is None else list(map(list, together))
    assert sorted(row for group in groups for row in group) == list(range(len(lengths)))
    passes: list[list[list[int]]] = []
    for _ in range(epochs):
        epoch = list(groups)
        drawn.shuffle(epoch)
        passes.append(epoch)
    if not by_length:
        flat = tuple(row for batch in _packed(passes, batch_size, drawn) for row in batch)
        return Schedule(order=flat, rows_per_step=batch_size * accumulation)
    pooled: list[int] = []
    left: list[int] = []  # rows that filled no batch: in the midst they would move all that come after them
    for pool in _pools([group for epoch in passes for group in epoch], POOL * batch_size):
        pool.sort(key=lambda group: (max(lengths[row] for row in group), group[0]))
        rows = [*left, *(row for group in pool for row in group)]
        batches = [rows[at : at + batch_size] for at in range(0, len(rows), batch_size)]
        left = batches.pop() if len(batches[-1]) < batch_size else []
        drawn.shuffle(batches)
        pooled += [row for batch in batches for row in batch]
    return Schedule(order=(*pooled, *left), rows_per_step=batch_size * accumulation)


def _packed(epochs: Iterable[Sequence[list[int]]], size: int, drawn: random.Random) -> list[list[int]]:
    """The groups in batches of `size` rows, each in the first that has room; what fills none comes last.

    The batches of one epoch stand before those of the next.
    """
    done: list[list[int]] = []
    filling: list[list[int]] = []
    for groups in epochs:
        full: list[list[int]] = []
        for group in groups:
            for start in range(0, len(group), size):
                part = group[start : start + size]
                batch = next((each for each in filling if len(each) + len(part) <= size), None)
                if batch is None:
                    filling.append(batch := [])
                batch += part
                if len(batch) == size:
                    filling = [each for each in filling if each is not batch]
                    full.append(batch)
        drawn.shuffle(full)
        done += full
    return [*done, *filling]


def _pools(groups: Iterable[list[int]], size: int) -> Iterator[list[list[int]]]:
    """The groups in turn, in pools of at least `size` rows; the last may be smaller."""
    pool: list[list[int]] = []
    for group in groups:
        pool.append(group)
        if sum(map(len, pool)) >= size:
            yield pool
            pool = []
    if pool:
        yield pool


def milestones(total: int, count: int) -> frozenset[int]:
    """`count` steps spread evenly over 1..`total`, the last one among them."""
    return frozenset(max(1, round(total * part / count)) for part in range(1, count + 1))
