"""Protects the judging of RLHF on opinions: halves share no conversation, and length alone wins nothing."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks.places import nested
from benchmarks.preferences import rewards
from benchmarks.preferences.__main__ import tables
from benchmarks.preferences.judging import Verdict, at_equal_length
from benchmarks.preferences.runs import halves
from tasks.pages.numbers import DASH
from tasks.scoring.scores import Interval


def test_conversations_that_begin_alike_stand_in_one_half() -> None:
    lines = [
        json.dumps({"prompt": f"\n\nHuman: Why {n}?\n\nAssistant:{more}"})
        for n in range(40)
        for more in ("", " So.\n\nHuman: And?\n\nAssistant:")
    ]
    one, other = halves(lines)
    assert sorted([*one, *other]) == sorted(lines)
    assert min(len(one), len(other)) > 20
    firsts = [
        {json.loads(line)["prompt"].split("\n\nAssistant:")[0] for line in part} for part in (one, other)
    ]
    assert not firsts[0] & firsts[1]


def test_wins_that_length_alone_explains_are_none() -> None:
    longer = [10.0, 20.0, 15.0, -10.0, -20.0, -15.0]
    by_length = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert at_equal_length(by_length, longer) == pytest.approx(0.5, abs=0.01)
    # Longer in five of six cases, and nothing else: wins in five of six.
    assert at_equal_length([1.0] * 5 + [0.0], [10.0] * 5 + [-10.0]) < 0.75


def test_wins_at_one_length_are_the_share_of_wins() -> None:
    assert at_equal_length([1.0, 1.0, 1.0, 0.0], [0.0] * 4) == pytest.approx(0.75, abs=0.01)


def test_settings_are_given_by_their_names() -> None:
    assert nested(["rlhf.updates=6", "reward.trained_layers=null", "rlhf.rewards={model: 2.0}"]) == {
        "rlhf": {"updates": 6, "rewards": {"model": 2.0}},
        "reward": {"trained_layers": None},
    }


def test_a_debate_is_held_out_with_both_its_sides(tmp_path: Path) -> None:
    every = [
        json.dumps({"group": f"debate-{number}_{side}", "id": pair})
        for number in range(12)
        for side in ("yes", "no")
        for pair in range(3)
    ]
    (tmp_path / "ukp_train.jsonl").write_text("\n".join(every) + "\n", encoding="utf-8")
    trained, judged = rewards.arguments(tmp_path)
    assert sorted([*trained, *judged]) == sorted(every)
    assert {len({rewards.debate(line) for line in part}) for part in (trained, judged)} == {8, 4}
    assert not {*map(rewards.debate, trained)} & {*map(rewards.debate, judged)}


def test_a_table_says_what_the_longer_answer_is_worth_though_the_rule_is_turned_round() -> None:
    told = {
        "trained": 1200,
        "pairs": 300,
        "accuracy": 0.62,
        "interval": [0.56, 0.67],
        "by_length": {"better_longer": {"accuracy": 0.5}},
        "baselines": {"length": {"rule": "the shorter answer wins", "accuracy": 0.53}},
        "calibration": {"error": 0.04},
    }
    [_, _, line] = [line for line in rewards.table({"harmless": told}).splitlines() if line.startswith("|")]
    assert line == f"| harmless | 1,200 | 300 | 62 % (56 % to 67 %) | 47 % | 50 % | {DASH} | 4 % |"


def test_the_page_says_what_is_won_where_both_answers_come_to_their_end() -> None:
    wins = Interval(mean=0.84, low=0.8, high=0.88)
    verdict = Verdict(
        wins=wins,
        both_ended=None,
        at_equal_length=0.77,
        characters=(112.0, 41.0),
        ended=(0.81, 1.0),
        changed=0.83,
    )
    known = {
        "pairs": 290,
        "accuracy": 0.63,
        "interval": [0.58, 0.69],
        "by_length": {},
        "baselines": {"length": {"rule": "the longer answer wins", "accuracy": 0.56}},
        "calibration": {"error": 0.04},
    }
    text = tables(
        {
            "prompts": 200,
            "rlhf": {"algorithm": "grpo", "heldout": {"kl": 1.7}},
            "verdicts": {"judge": asdict(verdict), "reward": asdict(replace(verdict, both_ended=wins))},
            "reward_models": {"reward": {"test": known, "validation": known}, "judge": {"validation": known}},
        }
    )
    assert (
        f"| judge: other pairs | 84 % (80 % to 88 %) | {DASH} | 77 % | 112 | 41 | 81 % | 100 % | 83 % |"
        in text
    )
    assert "| what it was optimised for | 84 % (80 % to 88 %) | 84 % (80 % to 88 %) | 77 % |" in text
    assert "| judge | 290 | 63 % (58 % to 69 %) | 56 % |" in text
