"""Protects counterfactual rows: only the evidence differs, only rows that have some are drawn, none twice."""

from deploy.abstention import ABSTENTION
from tasks.rows.records import Example
from tasks.training.counterfactuals import (
    counterfactual_preferences,
    counterfactuals,
    twin_groups,
    without_evidence,
)
from tests.tasks.rows.made import pair


def test_only_the_evidence_and_the_answer_differ(examples: list[Example]) -> None:
    twin = without_evidence(examples[1])
    assert twin.prompt == examples[1].prompt
    assert (twin.answer, twin.answerable, twin.evidence, twin.quote) == (ABSTENTION, False, (), "")
    assert twin.withheld == examples[1].evidence != ()
    assert (twin.task, twin.group) == (examples[1].task, examples[1].group)


def test_a_share_of_each_task_is_drawn_from_rows_with_evidence(examples: list[Example]) -> None:
    answerable = [example for example in examples if example.answerable]
    drawn = counterfactuals(examples, {"default": 0.25, "absent": 1.0}, seed=1)
    assert len(drawn) == len({example.id for example in drawn}) == round(0.25 * len(answerable))
    assert drawn == counterfactuals(examples, {"default": 0.25}, seed=1)
    assert counterfactuals(examples, {}, seed=1) == []


def test_only_wrong_abstentions_are_turned_round_and_each_answer_wins_once() -> None:
    wrong_abstentions = [pair(f"p{number}", rejected=ABSTENTION, evidence=("d",)) for number in range(8)]
    others = [pair("p8", evidence=("d",)), pair("p9", ABSTENTION, "`3.0`")]
    drawn = counterfactual_preferences([*wrong_abstentions, *others], {"default": 0.5}, seed=1)
    assert len(drawn) == 4
    assert {row.id.removesuffix("-without") for row in drawn} <= {row.id for row in wrong_abstentions}
    for row in drawn:
        assert (row.chosen, row.rejected, row.flaw) == (ABSTENTION, "`1.0`", "invented")
        assert (row.evidence, row.withheld) == ((), ("d",))


def test_pairs_name_every_place_once() -> None:
    assert twin_groups(["a", "b", "c", "b-without", "x-without"]) == [[0], [1, 3], [2], [4]]
