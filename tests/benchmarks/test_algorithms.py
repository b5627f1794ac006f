"""Protects the comparison of algorithms: each has as many prompts, and the table tells what is not known."""

from dataclasses import replace
from pathlib import Path

from benchmarks.algorithms.__main__ import table
from benchmarks.algorithms.measuring import Row
from benchmarks.algorithms.training import VARIANTS, own
from benchmarks.places import changed
from tasks.scoring.scores import Interval
from tasks.settings import load_settings
from tests.conftest import ROOT

SETTINGS = load_settings(ROOT / "params.yaml")
START = Row(
    score=Interval(mean=0.7, low=0.65, high=0.75),
    difference=None,
    over_control=None,
    abstains_rightly=0.8,
    abstains_wrongly=0.1,
    retention=0.9,
)


def test_an_update_draws_as_many_prompts_whoever_answers_them() -> None:
    for name in VARIANTS:
        values = SETTINGS.rlhf.model_dump() | own(name, SETTINGS)
        rlhf = type(SETTINGS.rlhf).model_validate(values)
        assert rlhf.drawn_prompts == SETTINGS.rlhf.drawn_prompts


def test_the_settings_of_a_variant_are_those_of_the_project_but_for_its_own(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(changed(text, {"rlhf": {"algorithm": "kto"}}), encoding="utf-8")
    other = load_settings(tmp_path / "params.yaml")
    assert other.rlhf == SETTINGS.rlhf.model_copy(update={"algorithm": "kto"})
    assert other.sft == SETTINGS.sft


def test_the_table_has_a_row_for_each_model_and_dashes_where_nothing_was_trained() -> None:
    told = table({"fine-tuning": START}, SETTINGS, asked="400 test questions", seeds=[1])
    assert "| fine-tuning | 0.700 | \u2013 | \u2013 | 80 % | 10 % | 90 % | \u2013 | \u2013 |" in told
    assert "400 test questions" in told


def test_the_table_says_which_stopped_before_their_time_and_by_which_command_it_was_made() -> None:
    one = Interval(mean=0.6, low=0.5, high=0.7)
    far = replace(START, difference=one, seconds=60.0, kl=9.1, updates=6, stopped="it has gone too far")
    told = table(
        {"dpo, pairs": far}, SETTINGS, asked="400 test questions", seeds=[1], words=["--names", "dpo, pairs"]
    )
    assert "better or not. dpo, pairs stopped after 6: it has gone too far." in told
    assert "*`python -m benchmarks.algorithms --names 'dpo, pairs'`.*" in told


def test_of_several_trainings_each_is_told() -> None:
    one = Interval(mean=0.6, low=0.5, high=0.7)
    twice = replace(START, difference=one, differences=[0.012, -0.003])
    told = table({"fine-tuning": START, "grpo": twice}, SETTINGS, asked="9 test questions", seeds=[1, 2])
    assert "| +0.600 (+0.500 to +0.700) | +0.012, -0.003 |" in told
    assert "2 trainings of one fine-tuned model" in told
