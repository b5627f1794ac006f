"""The cells of the experiment: few rows that were chosen, or many of which some have a wrong answer."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.places import DATA, changed, run_stage
from deploy.atomic import replacing, write_json
from deploy.files import read_json, sha256_of, text_sha256
from flows.place import make_place
from flows.selecting import Asked, chooser_of
from tasks.errors import SourceError
from tasks.prepare.selection.choosing import choose
from tasks.prepare.selection.pool import Pool, pool_of
from tasks.rows.records import Example
from tasks.rows.tables import FILES, read_table, write_table
from tasks.settings import Settings, load_settings

PLACES = Path("build/choosing")
CHOSEN, MANY = "chosen", "many"
SIDES = ("validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """So many rows, chosen in some ways, against so many more with shares of wrong answers (`noise`).

    All see as many rows in all: the few are gone through so much oftener. Each cell is trained with each of
    the `seeds`, and asked the same `questions` of the test split.
    """

    few: int
    many: int
    ways: Sequence[str]
    noise: Sequence[float]
    seeds: Sequence[int]
    questions: int

    def cells(self) -> "list[Cell]":
        """All cells, those of one seed together: whoever stops in between can compare."""
        return [
            cell
            for seed in self.seeds
            for cell in (
                *(Cell(kind=CHOSEN, value=way, seed=seed) for way in self.ways),
                *(Cell(kind=MANY, value=f"{share:g}", seed=seed) for share in self.noise),
            )
        ]

    def variants(self) -> dict[str, Any]:
        """The section `compare` of params.yaml that trains all cells, on each row in its own form alone."""
        bare = {"companions": 0, "counterfactuals": {}}
        variants: dict[str, Any] = {
            CHOSEN: {
                "method": "lora",
                "sft": {**bare, "max_rows": self.few, "epochs": self.many // self.few},
            }
        }
        for share in self.noise:
            variants[variant_of(MANY, f"{share:g}")] = {
                "method": "lora",
                "wrong": share,
                "sft": {**bare, "max_rows": self.many, "epochs": 1},
            }
        return {
            "methods": list(variants),
            "variants": variants,
            "seeds": list(self.seeds),
            "rates": [1],
            "tokens": 10**9,  # the rows are the budget
            "minutes": None,
            "questions": self.questions,
            "latency_rounds": 1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Rows of a kind with a seed: by the way they were `chosen` or, of `many`, the share of wrong answers."""

    kind: str
    value: str
    seed: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.kind}-{self.value}-{self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a cell: a score for each question, how much of what it knew it kept, the time it took."""

    scores: list[float]
    retention: float
    seconds: float


def variant_of(kind: str, value: str) -> str:
    """The variant of `compare` that trains a cell: a name has no points."""
    return CHOSEN if kind == CHOSEN else f"{MANY}_{value.replace('.', '_')}"


class Experiment:
    """The cells of a plan on the rows and models of a finished run; what has ended is not run again.

    Raises:
        ThreeplyError: the place is something else, or the run has no rows.
    """

    def __init__(self, project: Path, run: Path, plan: Plan) -> None:
        self._run, self._plan = run.resolve(), plan
        params = changed((project / "params.yaml").read_text(encoding="utf-8"), {"compare": plan.variants()})
        # Other seeds, ways or shares are further cells; other sizes, rows or settings another experiment.
        rows = [sha256_of(self._run / DATA / "splits" / side / FILES[Example]) for side in ("train", "test")]
        key = text_sha256(json.dumps([_told(project), rows, plan.few, plan.many, plan.questions]))
        self.place = project / PLACES / key[:12]
        make_place(project, self.place, params)
        self._settings: Settings = load_settings(self.place / "params.yaml")

    def found(self, cell: Cell) -> Found | None:
        """What came of a cell; None where it has not run."""
        path = self._path(cell)
        return read_json(path, Found, error=SourceError, advice=f"delete {path}") if path.is_file() else None

    def run(self, cell: Cell) -> Found:
        """Train and ask a cell, or go on with it where it was killed.

        Raises:
            ThreeplyError: it has failed (it has told why).
        """
        began = monotonic()
        models = self._run / DATA / "models"
        inputs = [self.splits(cell), models / "base", models / "embedder", self._run / DATA / "index"]
        words = ["--method", variant_of(cell.kind, cell.value), "--seed", cell.seed]
        run_stage(self.place, "trial", [*inputs, *words], {"report": f"cells/{cell.name}.trial.json"})
        report = self._path(cell).with_suffix(".trial.json")
        told = read_json(report, dict[str, Any], error=SourceError, advice=f"delete {report}")
        found = Found(
            scores=told["scores"], retention=told["retention"], seconds=round(monotonic() - began, 1)
        )
        write_json(self._path(cell), asdict(found))
        return found

    def _path(self, cell: Cell) -> Path:
        return self.place / DATA / "cells" / f"{cell.name}.json"

    def splits(self, cell: Cell) -> Path:
        """A folder of splits whose training rows are those of the cell.

        Raises:
            SourceError: the run has too few rows.
        """
        name = MANY
        if cell.kind == CHOSEN:  # to choose takes a while, and only lots differ by the seed
            name = f"{cell.value}-{cell.seed}" if cell.value == "random" else cell.value
        folder, given = (self.place / DATA / "splits" / name).resolve(), self._run / DATA / "splits"
        if not folder.is_dir():
            pool = self._pool()
            rows = pool.rows if cell.kind == MANY else self._chosen(pool, cell)
            with replacing(folder) as partial:
                write_table(partial / "train" / FILES[Example], Example, rows)
                for side in SIDES:
                    (partial / side).mkdir()
                    shutil.copyfile(given / side / FILES[Example], partial / side / FILES[Example])
        return folder

    def _pool(self) -> Pool:
        """The many rows, the same for all cells.

        Raises:
            SourceError: there are too few.
        """
        rows = read_table(self._run / DATA / "splits" / "train" / FILES[Example], Example)
        pool = pool_of(rows, most=self._plan.many, seed=self._settings.run.seed)
        if len(pool.rows) < self._plan.many:
            raise SourceError(
                f"{self._run} has {len(pool.rows):,} rows that can be chosen, and --many is "
                f"{self._plan.many:,}; give fewer, or name another run by --run"
            )
        return pool

    def _chosen(self, pool: Pool, cell: Cell) -> list[Example]:
        chooser, usable = chooser_of(self._run, self._settings, cell.value, pool, Asked(self._run), cell.seed)
        rows = [pool.rows[place] for place in usable]
        lengths = [len(row.answer.split()) for row in rows]
        return [rows[each.place] for each in choose(chooser, lengths, self._plan.few, keep_lengths=False)]


def _told(project: Path) -> Mapping[str, Any]:
    """The settings that what comes of a cell depends on."""
    sections = load_settings(project / "params.yaml").sections()
    wanted = ("run", "retrieval", "prompt", "generation", "sft", "evaluate")
    return {name: sections[name].model_dump(mode="json") for name in wanted}
