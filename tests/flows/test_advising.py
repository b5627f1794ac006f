"""Protects the command advise: flags, questions, what is found without either, and clear errors."""

import json
from pathlib import Path

import pytest

from flows.advising import give_advice
from flows.cli import main, parser
from tasks.settings import load_settings

FLAGS = ["--goal", "skill", "--documents", "0", "--examples", "800", "--preferences", "0", "--minutes", "60"]


def test_flags_alone_give_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "--json", "--memory", "16", "--cores", "4", "--gpu-memory", "0", *FLAGS]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["layers"] == ["prompt", "sft"]
    assert told["params"]["sft"]["method"] == "lora"
    assert (
        told["method"]["needs"]["basis"]
        == "estimated for 4 rows of 640 tokens at once, by a Llama of the base's size"
    )


def test_without_flags_it_says_what_it_assumed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise"]) == 0
    said = capsys.readouterr().out
    assert "16,000 examples, 3,000 preferences: by collect.sources" in said
    assert "Assumed: the goal is both" in said
    assert "threeply run --profile advised" in said


def test_what_the_last_run_counted_is_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = here / "data/reports"
    reports.mkdir(parents=True)
    rows = [{"kind": "document", "outcome": "kept", "count": 12, "reason": ""}]
    (reports / "collect.json").write_text(json.dumps({"stage": "collect", "rows": rows}), encoding="utf-8")
    assert main(["advise", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["layers"] == ["prompt", "retrieval"]
    assert told["assumed"][0] == "12 documents, 0 examples, 0 preferences: by the last run"


def test_a_person_is_asked_for_what_no_flag_says(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    answers = iter(["wisdom", "knowledge", "30", "", "0", "15"])

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    words = parser().parse_args(["advise", "--memory", "8"])
    advice = give_advice(here, load_settings(here / "params.yaml"), words, ask=ask)
    assert len(asked) == 6
    assert "[16000]" in asked[3]  # an empty answer takes what was found
    assert "'wisdom' is wrong" in capsys.readouterr().out  # and asked again
    assert advice.layers == ["prompt", "retrieval"]
    assert not advice.assumed or all("the base" in text for text in advice.assumed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--goal", "wisdom"], "--goal 'wisdom' is wrong; it should be one of skill, knowledge, both"),
        (["--examples", "-3"], "--examples '-3' is wrong"),
        (["--examples", "many"], "--examples 'many' is wrong; it should be a whole number"),
        (["--minutes", "0"], "--minutes '0' is wrong; it should be a number above 0"),
        (["--minutes", "nan"], "--minutes 'nan' is wrong"),
        (["--parameters", "big"], "--parameters 'big' is wrong; it should be a size such as 135M"),
        (["--memory", "-1"], "--memory '-1' is wrong"),
        (["--cores", "0"], "--cores '0' is wrong; it should be a whole number of 1 or more"),
    ],
)
def test_wrong_values_are_told(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advise", *words]) == 2
    assert said in capsys.readouterr().err


def test_another_size_leaves_what_was_measured_aside(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["advise", "--json", "--parameters", "7B", "--memory", "16", "--gpu-memory", "24", *FLAGS]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["method"]["name"] == "lora"
    assert any("another base" in text for text in told["assumed"])
