"""Protects the comparison of settings of fine-tuning: a wrong one is told before anything is trained."""

from pathlib import Path

import pytest

from benchmarks.algorithms.measuring import Row
from benchmarks.tuning import folder_name, params_with, table, trained
from deploy.errors import SettingsError, ThreeplyError
from tasks.scoring.scores import Interval
from tasks.settings import load_settings, read_params
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


def test_settings_of_a_method_leave_its_others_as_they_are(tmp_path: Path) -> None:
    before = load_settings(PARAMS)
    text = params_with(PARAMS, ["lora.rank=3", "max_rows=7", "lora.trained_layers=null"])
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    after = load_settings(tmp_path / "params.yaml")
    written = read_params(tmp_path / "params.yaml")["sft"]
    assert after.sft.max_rows == 7
    assert after.sft.lora == before.sft.lora.model_copy(update={"rank": 3, "trained_layers": None})
    lora = written["lora"]
    assert isinstance(lora, dict)
    assert lora["rank"] == 3
    assert lora["alpha"] == before.sft.lora.alpha
    assert after.rlhf == before.rlhf


def test_a_wrong_setting_is_told() -> None:
    with pytest.raises(SettingsError, match=r"sft\.max_row"):
        params_with(PARAMS, ["max_row=1600"])
    with pytest.raises(SettingsError, match=r"max_rows=many"):
        params_with(PARAMS, ["max_rows=many"])


def test_without_a_run_it_is_said_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ThreeplyError, match="threeply run --until calibrate makes it"):
        trained(tmp_path, ["max_rows=1600"], PARAMS.read_text(encoding="utf-8"))
    assert not (tmp_path / "build").exists()


def test_each_has_a_folder_of_its_own() -> None:
    assert folder_name(["max_rows=1600", "lora.rank=32"]) == "max_rows=1600-lora.rank=32"
    assert folder_name(["counterfactuals={default: 0.4}"]) == "counterfactuals=-default-0.4"


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
