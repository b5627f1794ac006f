"""Protects the experiment on choosing rows: equal work for all, nothing run twice, nothing said too much."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.choosing.cells import CHOSEN, MANY, Cell, Experiment, Found, Plan, variant_of
from benchmarks.choosing.page import summary, table
from deploy.atomic import write_json
from tasks.errors import SourceError
from tasks.lab.settings import CompareSettings
from tasks.rows.records import Example
from tasks.rows.tables import FILES, read_table, write_table
from tests.conftest import ROOT
from tests.tasks.rows.made import question

PLAN = Plan(few=4, many=20, ways=["length", "random"], noise=[0.0, 0.5], seeds=[1, 2, 3], questions=6)


def found(*scores: float) -> Found:
    return Found(scores=list(scores), retention=0.9, seconds=360.0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a finished run has of rows; the answer of each is as long as its number says."""
    rows = [question(f"q{n}", f"What is {n}?", "word " * n + "end") for n in range(24)]
    for side, some in {"train": rows, "validation": rows[:2], "test": rows[:3]}.items():
        write_table(tmp_path / "run/data/splits" / side / FILES[Example], Example, some)
    return tmp_path / "run"


@pytest.fixture
def experiment(tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """The experiment in a project of its own."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project/params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path / "project")
    return Experiment(Path(), run, PLAN)


def test_all_models_see_as_many_rows_and_have_a_variant_each() -> None:
    settings = CompareSettings.model_validate(PLAN.variants())
    for cell in PLAN.cells():
        sft = settings.variants[variant_of(cell.kind, cell.value)].sft
        assert sft["max_rows"] * sft["epochs"] == PLAN.many
    assert settings.variants[variant_of(MANY, "0.5")].wrong == 0.5
    assert len({cell.name for cell in PLAN.cells()}) == 12


def test_the_few_are_chosen_out_of_the_many_and_lots_differ_by_the_seed(experiment: Experiment) -> None:
    def ids(cell: Cell) -> list[str]:
        path = experiment.splits(cell) / "train" / FILES[Example]
        return [row.id for row in read_table(path, Example)]

    many = ids(Cell(kind=MANY, value="0.5", seed=1))
    assert (len(many), len(set(many))) == (20, 20)
    longest = ids(Cell(kind=CHOSEN, value="length", seed=1))
    assert set(longest) == set(sorted(many, key=lambda name: int(name[1:]))[-4:])
    one, other = (ids(Cell(kind=CHOSEN, value="random", seed=seed)) for seed in (1, 2))
    assert one != other
    assert set(one) | set(other) < set(many)


def test_a_run_with_too_few_rows_is_told(run: Path, experiment: Experiment) -> None:
    del experiment
    too_many = Experiment(Path(), run, replace(PLAN, many=25))
    with pytest.raises(SourceError, match="has 24 rows that can be chosen, and --many is 25"):
        too_many.splits(Cell(kind=MANY, value="0", seed=1))


def test_what_has_ended_counts_for_further_seeds_and_not_for_other_sizes(
    run: Path, experiment: Experiment
) -> None:
    cell = Cell(kind=MANY, value="0", seed=1)
    assert experiment.found(cell) is None
    write_json(
        experiment.place / "data/cells" / f"{cell.name}.json",
        {"scores": [1.0], "retention": 1.0, "seconds": 1.0},
    )
    more = Experiment(Path(), run, replace(PLAN, seeds=[1, 2, 3, 4], noise=[0.0, 0.3]))
    assert more.found(cell) == Found(scores=[1.0], retention=1.0, seconds=1.0)
    assert Experiment(Path(), run, replace(PLAN, questions=7)).found(cell) is None


def test_chosen_rows_beat_the_many_where_they_do_with_every_seed() -> None:
    told = {cell: found(0.0, 1.0) for cell in PLAN.cells()}
    told |= {cell: found(1.0, 1.0) for cell in told if (cell.kind, cell.value) == (MANY, "0")}
    told |= {cell: found(0.0, 0.0) for cell in told if (cell.kind, cell.value) == (MANY, "0.5")}
    told[Cell(kind=CHOSEN, value="random", seed=2)] = found(0.0, 0.0)
    text = table(PLAN, told)
    assert "| 4 by length | 0.500 | -0.500 (-1.000 to +0.000) | 90 % | 3 |" in text
    assert "| 4 by lot | 0.333 (0.000 to 0.500) | -0.667 (-1.000 to -0.333) | 90 % | 3 |" in text
    assert "| 20, 0 % wrong | 1.000 | \u2013 | 90 % | 3 |" in text
    assert "| 20, 50 % wrong | 0.000 | -1.000 (-1.000 to -1.000) | 90 % | 3 |" in text
    assert "the few beat the many: by length from 50 % wrong answers on, by lot nowhere." in text
    assert "have not run" not in text
    assert summary(PLAN, told)["chosen random"] == {"1": 0.5, "2": 0.0, "3": 0.5}


def test_fewer_than_three_seeds_give_no_verdict() -> None:
    plan = replace(PLAN, seeds=[1, 2])
    text = table(plan, {cell: found(1.0, 0.0) for cell in plan.cells()})
    assert "Fewer than 3 seeds" in text
    assert "beat" not in text


def test_what_has_not_run_is_counted_with_its_time() -> None:
    told = {cell: found(0.5) for cell in PLAN.cells()[:2]}
    text = table(PLAN, told)
    assert "10 of 12 cells have not run yet: about 1.0 hours" in text
    assert "wrong |" not in text  # no line for what has not run
    assert "beat" not in text  # and no verdict
