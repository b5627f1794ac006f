"""Protects what is said of a reward model: intervals, calibration, and when it is not to be trusted."""

from pathlib import Path
from typing import Any

import pytest

from deploy.abstention import ABSTENTION
from tasks.errors import SourceError
from tasks.rows.grounding import GroundedPreference
from tasks.training.rewards.baselines import baselines
from tasks.training.rewards.gate import GATE, closed, write_gate
from tasks.training.rewards.pairs import Pairs
from tasks.training.rewards.quality import accuracy, calibration, quality, shortcomings
from tests.tasks.rows.made import pair
from tests.tasks.training.rewards.made import token_pair


def grounded(chosen: str, rejected: str, **changed: Any) -> GroundedPreference:
    """A pair that is shown as it is."""
    row = pair("p", chosen, rejected, **changed)
    return GroundedPreference(preference=row, messages=(), chosen=chosen, rejected=rejected, missed=False)


def pairs(*rows: GroundedPreference) -> Pairs:
    """Pairs whose tokens do not matter."""
    return Pairs(rows=(token_pair((1,), (2,), (3,)),) * len(rows), examples=rows, dropped={})


def test_the_interval_is_wilsons() -> None:
    told = accuracy([True] * 90 + [False] * 10)
    assert told["interval"] == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert (told["pairs"], told["accuracy"]) == (100, 0.9)


def test_accuracy_is_told_by_flaw_label_and_length() -> None:
    held_out = pairs(
        grounded("long answer", "short", flaw="invented"),
        grounded("a", "long answer", flaw="invented", label="human"),
        grounded("b", "c", flaw=""),
    )
    told = quality([1.0, -1.0, 2.0], held_out, held_out)
    assert {name: part["accuracy"] for name, part in told["by_flaw"].items()} == {
        "invented": 0.5,
        "other": 1.0,
    }
    assert {name: part["pairs"] for name, part in told["by_label"].items()} == {"human": 1, "synthetic": 2}
    assert {name: part["accuracy"] for name, part in told["by_length"].items()} == {
        "better_longer": 1.0,
        "better_shorter": 0.0,
        "equal": 1.0,
    }
    assert told["length_correlation"] > 0.5
    assert quality([1.0], pairs(), pairs(grounded("a", "b")))["length_correlation"] is None


def test_the_calibration_error_is_the_distance_of_certainty_and_accuracy() -> None:
    certain, unsure = 1.0986123, 0.4054651  # nats: chances of 3/4 and 3/5
    told = calibration([certain, certain, -certain, certain, unsure, -unsure])
    assert told["bins"] == [
        {"pairs": 2, "certainty": 0.6, "accuracy": 0.5},
        {"pairs": 4, "certainty": 0.75, "accuracy": 0.75},
    ]
    assert told["error"] == pytest.approx(2 / 6 * 0.1, abs=1e-4)
    assert calibration([1e3])["bins"] == [{"pairs": 1, "certainty": 1.0, "accuracy": 1.0}]


def test_baselines_take_the_direction_that_training_shows() -> None:
    long, short = grounded("a long answer", "short"), grounded("no", "yes, of course")
    told = baselines([long, long, short], [long, short, short])
    assert told["length"] == {"rule": "the longer answer wins", "accuracy": round(1 / 3, 4)}
    told = baselines([grounded("`1`", ABSTENTION)], [grounded(ABSTENTION, "`1`"), long])
    assert told["majority"] == {"rule": "the abstention loses", "accuracy": 0.25}


def test_a_model_is_trusted_if_it_is_surely_better_than_guesses_and_rules() -> None:
    def told(**changed: Any) -> dict[str, Any]:
        good = {"pairs": 80, "accuracy": 0.9, "interval": [0.81, 0.95]}
        known = {
            **good,
            "by_flaw": {"invented": good, "few": {"pairs": 19, "accuracy": 0.2, "interval": [0.1, 0.4]}},
            "by_label": {"human": good},
            "baselines": {"length": {"rule": "the longer answer wins", "accuracy": 0.6}},
        }
        return {**known, **changed}

    wrong = {"pairs": 35, "accuracy": 0.26, "interval": [0.14, 0.42]}
    assert shortcomings(told()) == []
    assert shortcomings(told(by_flaw={"false_abstention": wrong})) == [
        "of 35 pairs false_abstention it is right in 0.26"
    ]
    assert shortcomings(told(by_label={"checked": wrong})) == ["of 35 pairs checked it is right in 0.26"]
    rule = {"length": {"rule": "the longer answer wins", "accuracy": 0.82}}
    assert shortcomings(told(baselines=rule)) == [
        "at worst it is right in 0.81, and \u201cthe longer answer wins\u201d in 0.82"
    ]
    (guess,) = shortcomings(told(interval=[0.45, 0.95], baselines={}))
    assert guess == "it is right in 0.90 of 80 pairs, at worst 0.45"
    assert shortcomings(None) == ["there are no pairs to judge it by"]


def test_the_gate_beside_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_gate(tmp_path, ["one", "two"])
    assert closed(tmp_path) == "one; two"
    write_gate(tmp_path, [])
    assert closed(tmp_path) == ""
    (tmp_path / GATE).unlink()
    with pytest.raises(SourceError, match="run dvc repro reward"):
        closed(tmp_path)
