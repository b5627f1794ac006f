"""Protects the comparison of settings of fine-tuning: a wrong one is told before anything is trained."""

from pathlib import Path

import pytest

from benchmarks.algorithms.measuring import Row
from benchmarks.tuning import table, trained
from deploy.errors import ThreeplyError
from tasks.scoring.scores import Interval
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"
RUN = Row(
    score=Interval(mean=0.655, low=0.61, high=0.7),
    difference=None,
    over_control=None,
    abstains_rightly=0.68,
    abstains_wrongly=0.15,
    retention=0.75,
)


def test_without_a_run_it_is_said_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ThreeplyError, match="threeply run --until calibrate makes it"):
        trained(tmp_path, ["max_rows=1600"], PARAMS.read_text(encoding="utf-8"))
    assert not (tmp_path / "build").exists()


def test_the_table_says_what_they_bring_and_how_it_was_made() -> None:
    more = Row(
        score=Interval(mean=0.708, low=0.66, high=0.75),
        difference=Interval(mean=0.054, low=0.013, high=0.097),
        over_control=None,
        abstains_rightly=0.74,
        abstains_wrongly=0.13,
        retention=0.69,
        seconds=2113.0,
    )
    told = table(
        {"fine-tuning": RUN, "max_rows=1600": more},
        questions=400,
        split="validation",
        words=["--with", "max_rows=1600"],
    )
    assert "| the run's | 0.655 | \u2013 | 68 % | 15 % | 75 % | \u2013 |" in told
    assert "| max_rows=1600 | 0.708 | +0.054 (+0.013 to +0.097) | 74 % | 13 % | 69 % | 35m13s |" in told
    assert "*`python -m benchmarks.tuning --with max_rows=1600`.*" in told
