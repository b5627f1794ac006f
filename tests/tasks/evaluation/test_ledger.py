"""Protects the form of the ledger: what is written is read back, rows and subsets keep their order."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.evaluation.ledger import (
    FOLLOW_UPS,
    LIKE_TRAINING,
    NAMES,
    Arm,
    Difference,
    HeldOut,
    Ledger,
    Subset,
    Wording,
    read_ledger,
    subset_name,
    subset_sizes,
    write_ledger,
)
from tasks.scoring.scores import Interval

ARM = Arm(
    score=0.5,
    low=0.4,
    high=0.6,
    n=10,
    abstention=0.9,
    false_abstention=None,
    citation_validity=1.0,
    citation_precision=None,
    retention=0.97,
    latency_ms=812.4,
    unfinished=0.0,
    tasks={"default": 0.5},
    difference=Difference(against="base", mean=0.1, low=0.05, high=0.15, verdict="helps"),
    divergence=Interval(mean=0.21, low=0.15, high=0.3),
)
OWN = HeldOut(questions=50, version="1a2b3c4d5e6f")
LITERAL = Wording(literalness=0.83, arm="sft", score=0.61, low=0.5, high=0.72, n=47)
PART = Subset(score=0.25, low=0.1, high=0.4, n=4, abstention=1.0, false_abstention=None)


def ledger(arms: dict[str, Arm]) -> Ledger:
    return Ledger(
        arms=arms,
        majority=0.33,
        majority_answer="`None`",
        recall=0.8,
        top_k=3,
        questions=10,
        unanswerable=3,
    )


def test_what_is_written_is_read_back_in_the_order_of_the_rows(tmp_path: Path) -> None:
    whole = ledger({name: replace(ARM, difference=None) if name == "base" else ARM for name in NAMES})
    whole.arms["rule"] = replace(ARM, retention=None, divergence=None, subsets={"mine": PART})
    whole = replace(whole, counts=("mine",), recalls={"mine": 0.5}, versions={"mine": OWN}, wording=LITERAL)
    write_ledger(tmp_path / "ledger.json", whole)
    again = read_ledger(tmp_path / "ledger.json")
    assert again == whole
    assert list(again.arms) == list(NAMES)


def test_a_ledger_of_before_there_were_divergences_subsets_test_sets_and_a_rule_is_read(
    tmp_path: Path,
) -> None:
    write_ledger(tmp_path / "ledger.json", ledger({"sft": ARM}))
    values = json.loads((tmp_path / "ledger.json").read_text())
    for field in ("counts", "recalls", "versions", "wording"):
        del values[field]
    for field in ("divergence", "subsets", "over_rule"):
        del values["arms"]["sft"][field]
    (tmp_path / "ledger.json").write_text(json.dumps(values))
    arm = read_ledger(tmp_path / "ledger.json").arms["sft"]
    assert (arm.divergence, arm.subsets, arm.over_rule) == (None, {}, None)


def test_subsets_come_in_one_order_with_what_is_like_training_first() -> None:
    parts = dict.fromkeys((FOLLOW_UPS, "unseen wording", LIKE_TRAINING, "my 50 questions"), PART)
    whole = ledger({"base": replace(ARM, subsets=parts), "sft": ARM})
    assert list(subset_sizes(whole)) == [LIKE_TRAINING, "my 50 questions", "unseen wording", FOLLOW_UPS]
    own = replace(whole, counts=("my 50 questions",))
    assert list(subset_sizes(own)) == ["my 50 questions", LIKE_TRAINING, "unseen wording", FOLLOW_UPS]
    assert set(subset_sizes(whole).values()) == {4}
    assert subset_sizes(ledger({"sft": ARM})) == {}


def test_no_name_of_a_file_is_that_of_another_subset() -> None:
    given = [
        "",
        "mine",
        *(f"{name}{' (held out)' * n}" for name in (LIKE_TRAINING, FOLLOW_UPS) for n in range(3)),
    ]
    assert [subset_name(name) for name in given[:4]] == [
        LIKE_TRAINING,
        "mine",
        "like training (held out)",
        "like training (held out) (held out)",
    ]
    assert len({subset_name(name) for name in given} | {FOLLOW_UPS}) == len(given) + 1


def test_the_file_is_plain_metrics(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger.json", ledger({"base": replace(ARM, difference=None)}))
    values = json.loads((tmp_path / "ledger.json").read_text())
    assert values["majority"] == 0.33
    assert values["arms"]["base"]["score"] == 0.5
    assert values["arms"]["base"]["false_abstention"] is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"arms": {"base": {}}}', '{"arms": {"base": {"difference": {"verdict": "great"}}}}'],
)
def test_a_damaged_ledger_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.json").write_text(text)
    with pytest.raises(SourceError, match=r"ledger\.json cannot be read"):
        read_ledger(tmp_path / "ledger.json")
