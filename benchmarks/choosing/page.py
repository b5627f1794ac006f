"""What came of the cells as a table: a line for each way of choosing, and for each share of wrong answers."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from benchmarks.choosing.cells import CHOSEN, MANY, Cell, Found, Plan
from benchmarks.seeds import signed_interval, spread
from tasks.evaluation.markdown import markdown_table
from tasks.pages.numbers import DASH, percent
from tasks.scoring.scores import bootstrap

_SEEDS = 3  # the least that a verdict rests on: with fewer it is luck which line is above which
_RESAMPLES = 2_000
_UNSURE = f"Fewer than {_SEEDS} seeds: what is told holds for these models, and is no verdict on the ways."
SAID = {
    "difficulty": "by difficulty",
    "coverage": "by coverage",
    "length": "by length",
    "random": "by lot",
}


def table(plan: Plan, found: Mapping[Cell, Found]) -> str:
    """The scores with the lowest and the highest seed; how many cells have not run, and for how long."""
    rows = {}
    for kind, value in _groups(plan):
        mine = [told for cell, told in found.items() if (cell.kind, cell.value) == (kind, value)]
        told = (
            f"{plan.few:,} {SAID[value]}"
            if kind == CHOSEN
            else f"{plan.many:,}, {percent(float(value))} wrong"
        )
        if mine:
            rows[told] = [
                spread(map(_score, mine)),
                _over(plan, found, kind, value),
                spread((each.retention for each in mine), percent),
                str(len(mine)),
            ]
    asked = (
        f"{plan.questions} questions of the test split, the same for all; every model has seen {plan.many:,} "
        "rows in all. Differences are paired, with 95 % intervals over the questions."
    )
    lines = [
        "",
        *markdown_table(
            ["score (lowest and highest seed)", f"over {plan.many:,} clean", "retention", "seeds"], rows
        ),
        "",
        asked,
    ]
    if left := len(plan.cells()) - len(found):
        took = fmean(each.seconds for each in found.values()) if found else 0.0
        lines += [
            f"{left} of {len(plan.cells())} cells have not run yet: about {left * took / 3600:.1f} hours."
        ]
    else:
        lines += [_verdict(plan, found) if len(plan.seeds) >= _SEEDS else _UNSURE]
    return "\n".join(lines) + "\n"


def summary(plan: Plan, found: Mapping[Cell, Found]) -> dict[str, Any]:
    """The mean score of each line by seed, as one JSON object."""
    return {
        f"{kind} {value}": {
            str(cell.seed): round(_score(told), 4)
            for cell, told in found.items()
            if (cell.kind, cell.value) == (kind, value)
        }
        for kind, value in _groups(plan)
    }


def _over(plan: Plan, found: Mapping[Cell, Found], kind: str, value: str) -> str:
    """How much better a line answers the same questions than the clean many, over the seeds of both."""
    differences = []
    for seed in plan.seeds:
        cell, clean = Cell(kind=kind, value=value, seed=seed), Cell(kind=MANY, value="0", seed=seed)
        if cell != clean and cell in found and clean in found:
            pairs = zip(found[cell].scores, found[clean].scores, strict=True)
            differences.append([one - other for one, other in pairs])
    if not differences:
        return DASH
    means = [fmean(each) for each in zip(*differences, strict=True)]
    told = bootstrap(means, resamples=_RESAMPLES, seed=0)
    return signed_interval(told)


def _groups(plan: Plan) -> list[tuple[str, str]]:
    return list(dict.fromkeys((cell.kind, cell.value) for cell in plan.cells()))


def _verdict(plan: Plan, found: Mapping[Cell, Found]) -> str:
    """From which share of wrong answers on the chosen rows beat the many with every seed."""
    told = []
    for way in plan.ways:
        beaten = [share for share in sorted(plan.noise) if _beats(plan, found, way, f"{share:g}")]
        told.append(
            f"{SAID[way]} from {percent(beaten[0])} wrong answers on" if beaten else f"{SAID[way]} nowhere"
        )
    return f"With every seed the few beat the many: {', '.join(told)}."


def _beats(plan: Plan, found: Mapping[Cell, Found], way: str, share: str) -> bool:
    for seed in plan.seeds:
        few = found.get(Cell(kind=CHOSEN, value=way, seed=seed))
        many = found.get(Cell(kind=MANY, value=share, seed=seed))
        if few is None or many is None or _score(few) <= _score(many):
            return False
    return True


def _score(told: Found) -> float:
    return fmean(told.scores)
