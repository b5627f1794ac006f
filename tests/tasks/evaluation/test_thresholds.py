"""Protects the threshold of abstaining: it lies where both errors are smallest, and never between equals."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.evaluation.thresholds import Observed, best, points, read_thresholds
from tasks.evaluation.weighing import told_apart


def chances(*, answered: list[float], without: list[float]) -> list[Observed]:
    return [
        *(Observed(chance=chance, answered=True) for chance in answered),
        *(Observed(chance=chance, answered=False) for chance in without),
    ]


def test_what_can_be_told_apart_is() -> None:
    found = chances(answered=[0.01, 0.2, 0.3], without=[0.6, 0.9])
    point = best(points(found))
    assert 0.3 < point.rule.threshold < 0.6
    assert (point.rightly, point.wrongly, told_apart(found, coverage_weight=0.0)) == (1.0, 0.0, 1.0)


def test_the_threshold_may_lie_far_from_a_half() -> None:
    # A model that is timid everywhere: most answers have a large chance of the abstention, too.
    found = chances(answered=[0.7, 0.8, 0.85, 0.99], without=[0.95, 0.96, 0.97])
    point = best(points(found))
    assert 0.85 < point.rule.threshold < 0.95
    assert (point.rightly, point.wrongly) == (1.0, 0.25)


def test_a_chance_of_nought_or_one_has_a_threshold_beside_it() -> None:
    point = best(points(chances(answered=[0.0], without=[1.0])))
    assert 0.0 < point.rule.threshold < 1.0


def test_a_limit_of_wrong_abstentions_is_kept_and_used() -> None:
    found = chances(answered=[0.1, 0.2, 0.3, 0.6], without=[0.4, 0.5, 0.7])
    curve = points(found)
    free, bound, loose = best(curve), best(curve, at_most=0.1), best(curve, at_most=0.4)
    assert (free.rightly, free.wrongly) == (1.0, 0.25)
    assert (bound.rightly, bound.wrongly) == (pytest.approx(1 / 3), 0.0)
    assert 0.6 < bound.rule.threshold < 0.7
    assert loose == free  # what the limit lets is taken only where it brings something


def test_a_limit_can_always_be_kept() -> None:
    sure = best(points(chances(answered=[1.0, 0.2], without=[1.0])), at_most=0.0)
    assert (sure.rightly, sure.wrongly) == (0.0, 0.0)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12),
    st.floats(0.0, 1.0),
)
def test_no_threshold_within_the_limit_abstains_rightly_more_often(
    answered: list[float], without: list[float], limit: float
) -> None:
    curve = points(chances(answered=answered, without=without))
    chosen = best(curve, at_most=limit)
    within = [point for point in curve if point.wrongly <= limit]
    assert chosen in within
    assert all(chosen.rightly >= point.rightly for point in within)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12),
)
def test_no_threshold_is_worth_more_than_the_best(answered: list[float], without: list[float]) -> None:
    found = chances(answered=answered, without=without)
    curve = points(found)
    assert [p.rule.threshold for p in curve] == sorted(p.rule.threshold for p in curve)
    assert (curve[0].rightly, curve[0].wrongly) == (1.0, 1.0)
    chosen = best(curve)
    for threshold in (0.0, 0.1, 0.5, 0.9):
        rightly = sum(c >= threshold for c in without) / len(without)
        wrongly = sum(c >= threshold for c in answered) / len(answered)
        assert chosen.worth >= rightly - wrongly - 1e-5 or _near(threshold, [*answered, *without])


def _near(threshold: float, values: list[float]) -> bool:
    """Chances beyond a millionth of 0 or 1, and equal but for rounding, are taken for equal."""
    return any(abs(value - threshold) < 1e-5 or not 1e-6 < value < 1 - 1e-6 for value in values)


def test_a_weight_of_coverage_is_part_of_every_point() -> None:
    found = [
        Observed(chance=chance, coverage=coverage, answered=answered)
        for chance, coverage, answered in (
            (0.6, 0.9, True), (0.4, 0.8, True), (0.5, 0.2, False), (0.3, 0.1, False),
        )
    ]  # fmt: skip
    curve = points(found, coverage_weight=4.0)
    assert {point.rule.coverage_weight for point in curve} == {4.0}
    point = best(curve)
    assert (point.rightly, point.wrongly) == (1.0, 0.0)
    assert [point.rule.abstains(each.chance, each.coverage) for each in found] == [False, False, True, True]
    assert best(points(found)).worth < 1.0


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.json"):
        read_thresholds(tmp_path / "none.json")


def test_thresholds_of_an_earlier_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"sft": 0.4}')
    with pytest.raises(SourceError, match=r"sft: .*run dvc repro calibrate"):
        read_thresholds(tmp_path / "calibration.json")
