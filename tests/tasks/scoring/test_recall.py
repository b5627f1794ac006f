"""Protects the shares of what retrieval finds: a row counts in all its parts, by the last source needed."""

from dataclasses import replace
from math import inf

import pytest

from deploy.messages import Message
from tasks.scoring.recall import Ranked, gain, parts, with_evidence
from tests.tasks.rows.made import default_asked, question


def test_each_part_has_its_own_share() -> None:
    first = question("a", task="default")
    second = replace(question("b", task="none"), held_out="validation")
    turns = (Message("user", "one?"), Message("assistant", "1"), *second.messages)
    third = replace(second, messages=turns)
    assert parts([first, second, third], [True, True, False]) == {
        "all": (0.6667, 3),
        "follow-ups": (0.0, 1),
        "kind default": (1.0, 1),
        "kind none": (0.5, 2),
        "like training": (1.0, 1),
        "validation": (0.5, 2),
    }


def test_more_sources_never_show_less() -> None:
    found = Ranked(places=(1.0, 3.0, inf), words=90.0)
    assert [round(found.share(k), 3) for k in (1, 2, 3, 10)] == [0.333, 0.333, 0.667, 0.667]
    assert found.within(3) == [1.0, 1.0, 0.0]


def test_a_gain_is_that_of_the_same_rows() -> None:
    few, more = (Ranked(places=places, words=1.0) for places in ((inf,) * 40, (1.0,) * 10 + (inf,) * 30))
    interval = gain(more, few, top_k=3, seed=1)
    assert interval.mean == pytest.approx(0.25)
    assert 0.0 < interval.low < interval.mean < interval.high
    assert gain(few, few, top_k=3, seed=1).high == 0.0


def test_rows_without_a_known_passage_are_left_out() -> None:
    known = default_asked("a", document="d")
    assert with_evidence([known, question("b"), default_asked("c", document=None)]) == [known]
