"""Protects places of benchmarks: settings by words of the command line, and a folder for each of them."""

from pathlib import Path

import pytest

from benchmarks.places import folder_name, params_with
from deploy.errors import SettingsError
from tasks.settings import load_settings, read_params
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"


def test_settings_of_a_method_leave_its_others_as_they_are(tmp_path: Path) -> None:
    before = load_settings(PARAMS)
    text, after = params_with(PARAMS, "sft", ["lora.rank=3", "max_rows=7", "lora.trained_layers=null"])
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path / "params.yaml") == after
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
        params_with(PARAMS, "sft", ["max_row=1600"])
    with pytest.raises(SettingsError, match=r"max_rows=many"):
        params_with(PARAMS, "sft", ["max_rows=many"])


def test_without_words_the_file_stays_as_it_is() -> None:
    assert params_with(PARAMS, "rlhf", []) == (PARAMS.read_text(encoding="utf-8"), load_settings(PARAMS))


def test_each_has_a_folder_of_its_own() -> None:
    assert folder_name(["max_rows=1600", "lora.rank=32"]) == "max_rows=1600-lora.rank=32"
    assert folder_name(["counterfactuals={default: 0.4}"]) == "counterfactuals=-default-0.4"
