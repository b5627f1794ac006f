"""The ledger over several seeds: how much of a figure is the seed's doing.

    python -m benchmarks.seeds 1 2            the last run of this project, and runs of two further seeds
    python -m benchmarks.seeds 1 2 --write    writes the tables into README.md, too

A run of a seed is a whole one in build/seeds/SEED: other questions made and drawn, other rows, another
order, other weights to begin with. One that has ended is not run again; one that was killed goes on. Each
ledger is kept in docs/seeds with what the settings were, and counts as long as they are the same. Prints
tables of means with the lowest and the highest; the last line is one JSON object.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean

from benchmarks.first_screen import README
from benchmarks.pages import write_between
from benchmarks.places import changed, run_chain
from deploy.atomic import write_json
from deploy.errors import ThreeplyError
from deploy.files import read_json
from flows.place import make_place
from tasks.errors import SourceError
from tasks.evaluation.ledger import NAMES, TUNED, Arm, Ledger, read_ledger, subset_sizes
from tasks.evaluation.markdown import markdown_table
from tasks.evaluation.sentences import PASSAGE_FOUND
from tasks.pages.numbers import DASH, decimals, percent
from tasks.scoring.scores import Interval
from tasks.settings import load_settings
from tasks.training.reinforcement.algorithms import ALGORITHMS

PLACES = Path("build/seeds")
LEDGER = Path("data/reports/ledger.json")
KEPT = Path("docs/seeds")
# Sections of params.yaml that no ledger depends on.
BESIDE = ("run", "knowledge", "compare", "classify", "images", "card", "bundle", "report", "serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A ledger, and the sum of the settings that it came of."""

    settings: str
    ledger: Ledger


def main() -> int:
    """Run what has not been run, and print the tables; exit 1 if there is no ledger of one of the seeds."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__)
    words.add_argument("seeds", type=int, nargs="+", metavar="SEED", help="further values of run.seed")
    words.add_argument("--write", action="store_true", help="write the tables into README.md")
    given = words.parse_args()
    try:
        own = load_settings(Path("params.yaml")).run.seed
        found = {own: kept(Path(), own) or keep(Path(), own, read_ledger(LEDGER))}
        for seed in given.seeds:
            if seed != own:
                found[seed] = kept(Path(), seed) or keep(Path(), seed, of_seed(Path(), seed))
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    text = seeds_markdown(found)
    print(text)
    if given.write:
        source = f"\n*`python -m benchmarks.seeds {' '.join(map(str, given.seeds))} --write`.*\n"
        write_between(README, "seeds", text + source)
    print(json.dumps(summary(found)))
    return 0


def of_seed(project: Path, seed: int) -> Ledger:
    """The ledger of a run of `project` with `seed`, in a place of its own.

    Raises:
        ThreeplyError: the place is something else, or the run has failed (it has told why).
    """
    place = project / PLACES / str(seed)
    make_place(project, place, seeded((project / "params.yaml").read_text(encoding="utf-8"), seed))
    run_chain(project, place)
    return read_ledger(place / LEDGER)


def kept(project: Path, seed: int) -> Ledger | None:
    """The ledger of `seed` in docs/seeds; None where there is none under the settings of today.

    Raises:
        ThreeplyError: the file is damaged.
    """
    path = project / KEPT / f"{seed}.json"
    if not path.is_file():
        return None
    found = read_json(path, Kept, error=SourceError, advice="delete it, and the seed runs again")
    return found.ledger if found.settings == told_by(project) else None


def keep(project: Path, seed: int, ledger: Ledger) -> Ledger:
    """Write the ledger of `seed` into docs/seeds; it is given back."""
    write_json(project / KEPT / f"{seed}.json", asdict(Kept(settings=told_by(project), ledger=ledger)))
    return ledger


def told_by(project: Path) -> str:
    """A sum of all settings that a ledger depends on, the seed left out."""
    settings = load_settings(project / "params.yaml")
    sections = settings.sections()
    told = {name: each.model_dump(mode="json") for name, each in sections.items() if name not in BESIDE}
    for other in ALGORITHMS.keys() - {settings.rlhf.algorithm}:
        del told["rlhf"][other]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def seeded(params: str, seed: int) -> str:
    """The text of a params.yaml with another `run.seed`; comments stay."""
    return changed(params, {"run": {"seed": seed}})


def seeds_markdown(ledgers: Mapping[int, Ledger]) -> str:
    """Each row of the ledger over the seeds, the tuned ones by kind of question, and what it is over."""
    every = list(ledgers.values())
    subsets = [name for name in subset_sizes(every[0]) if all(name in subset_sizes(one) for one in every)]
    rows = {}
    for name in (name for name in NAMES if all(name in one.arms for one in every)):
        arms = [one.arms[name] for one in every]
        rows[NAMES[name]] = [
            spread(arm.score for arm in arms),
            spread((arm.abstention for arm in arms), percent),
            spread((arm.false_abstention for arm in arms), percent),
            *(spread((arm.subsets[part].score for arm in arms), two) for part in subsets),
        ]
    recalls = [spread((one.recalls.get(part) for one in every), percent) for part in subsets]
    rows[PASSAGE_FOUND] = [spread((one.recall for one in every), percent), DASH, DASH, *recalls]
    tuned = [name for name in TUNED if all(name in one.arms for one in every)]
    kinds = sorted({kind for one in every for name in tuned for kind in one.arms[name].tasks})
    by_kind = {
        kind: [spread((one.arms[name].tasks.get(kind) for one in every), two) for name in tuned]
        for kind in kinds
    }
    head = ["score", "abstains rightly", "abstains wrongly", *subsets]
    asked = sum(one.questions for one in every)
    majority = spread(one.majority for one in every)
    lines = [
        *markdown_table(head, rows),
        "",
        f"Means over {len(every)} seeds ({', '.join(map(str, ledgers))}), with the lowest and the highest:"
        f" whole runs, {asked} questions together. Always abstaining would score {majority}.",
        "",
        *gains(every),
        *markdown_table([NAMES[name] for name in tuned], by_kind),
    ]
    return "\n".join(lines) + "\n"


def gains(ledgers: Sequence[Ledger]) -> list[str]:
    """What RLHF adds in each run, with its interval, and in all of them together.

    The runs ask different questions of different models: the variance of the mean is the sum of theirs.
    """
    found = [one.arms["rlhf"].difference for one in ledgers if "rlhf" in one.arms]
    known = [each for each in found if each is not None and each.against == "sft"]
    if len(known) < max(len(ledgers), 2):
        return []
    mean = fmean(each.mean for each in known)
    half = sqrt(sum(((each.high - each.low) / 2.0) ** 2 for each in known)) / len(known)
    each = ", ".join(signed(one.mean, one.low, one.high) for one in known)
    told = signed(mean, mean - half, mean + half)
    return [f"RLHF over fine-tuning, with 95 % intervals: {each}; together {told}.", ""]


def spread(values: Iterable[float | None], told: Callable[[float], str] = decimals) -> str:
    """The mean of `values` with the lowest and the highest; a dash where one of them is missing."""
    given = list(values)
    known = [value for value in given if value is not None]
    if not known or len(known) < len(given):
        return DASH
    low, mean, high = told(min(known)), told(fmean(known)), told(max(known))
    return mean if low == high else f"{mean} ({low} to {high})"


def signed(mean: float, low: float, high: float) -> str:
    """A difference with the bounds of its interval."""
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def signed_interval(told: Interval | None) -> str:
    """The same of an interval; a dash where there is none."""
    return signed(told.mean, told.low, told.high) if told else DASH


def two(value: float) -> str:
    """A score with two decimals, as subsets have them."""
    return f"{value:.2f}"


def summary(ledgers: Mapping[int, Ledger]) -> dict[str, dict[str, dict[str, float | None]]]:
    """The figures of each row by seed, as one JSON object."""

    def figures(arm: Arm) -> dict[str, float | None]:
        parts = {name: part.score for name, part in arm.subsets.items()}
        return {"score": arm.score, "abstains": arm.abstention, "wrongly": arm.false_abstention, **parts}

    return {
        str(seed): {name: figures(arm) for name, arm in ledger.arms.items()}
        for seed, ledger in ledgers.items()
    }


if __name__ == "__main__":
    raise SystemExit(main())
