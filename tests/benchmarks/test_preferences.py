"""Protects the judging of RLHF on opinions: halves share no conversation, and length alone wins nothing."""

import json

import pytest

from benchmarks.preferences.__main__ import changes
from benchmarks.preferences.judging import at_equal_length
from benchmarks.preferences.runs import halves


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
    assert changes(["rlhf.updates=6", "reward.trained_layers=null", "rlhf.rewards={model: 2.0}"]) == {
        "rlhf": {"updates": 6, "rewards": {"model": 2.0}},
        "reward": {"trained_layers": None},
    }
