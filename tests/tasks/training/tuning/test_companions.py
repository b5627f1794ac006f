"""Protects questions over shared sources: each target follows from those sources, and none is a guess."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from deploy.abstention import ABSTENTION
from deploy.engines.chat import load_tokenizer
from deploy.prompts.template import Source
from tasks.settings import Settings
from tasks.training.tuning.companions import BETWEEN, Companions, context_groups, mixing
from tasks.training.tuning.examples import planned, training_examples
from tests.deploy.knowledge.listed import HIT, reader
from tests.tasks.rows.made import default_asked, question
from tests.tasks.training.conftest import example

SHOWN = Source(number=1, document="svm.SVC", uri="", title="svm.SVC", text="svm.SVC\nC=1.0 : float")
LEAD = default_asked("lead", document="svm.SVC")
SAME = [default_asked(f"same{n}", f"C of SVC, wording {n}?", document="svm.SVC") for n in range(6)]
OTHER = [default_asked(f"other{n}", f"What is {n} in another?", document=f"d{n}") for n in range(6)]
HIDDEN = replace(
    question("hidden", "C?", ABSTENTION, task="withheld"), withheld=("svm.SVC",), answerable=False
)
UNQUOTED = replace(LEAD, id="unquoted", quote="tol=0.1 :")
CHAT = question("chat", "hello", "Hello!", task="talk")


def test_about_half_are_answered_and_none_is_of_doubtful_worth() -> None:
    pool = [LEAD, *SAME, *OTHER, HIDDEN, UNQUOTED, CHAT]
    for count in range(1, 9):
        found = [row.id for row in Companions(pool, seed=1).of(LEAD, [SHOWN], count)]
        assert len(found) == len(set(found)) == count
        assert not {"lead", "hidden", "unquoted"} & set(found)
        answered = sum(name.startswith("same") for name in found)
        assert answered == min(round(count * 0.6), 6)


def test_they_follow_from_the_seed_and_the_row() -> None:
    def drawn(seed: int) -> list[str]:
        return [row.id for row in Companions([LEAD, *SAME, *OTHER], seed=seed).of(LEAD, [SHOWN], 4)]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(8)}) > 2


def test_those_of_a_follow_up_are_asked_after_the_same_turns_and_it_is_none() -> None:
    later = replace(LEAD, messages=(*SAME[0].messages, *LEAD.messages))
    alone, after = (Companions([LEAD, *SAME], seed=1).of(row, [SHOWN], 4) for row in (LEAD, later))
    assert [row.messages for row in after] == [(*SAME[0].messages, *row.messages) for row in alone]
    assert [row.answer for row in after] == [row.answer for row in alone]
    assert Companions([later], seed=1).of(LEAD, [SHOWN], 4) == []
    assert Companions([LEAD, *SAME], seed=1).of(LEAD, [], 4) == []


def test_rows_over_the_same_sources_are_a_group() -> None:
    names = ["a", f"b{BETWEEN}a", "a-without", f"b{BETWEEN}a-without", "c"]
    assert context_groups(names) == [[0, 1], [2, 3], [4]]


def test_targets_follow_from_the_sources_of_the_lead(tiny_base: Path, settings: Settings) -> None:
    rows = [example(n) for n in range(48)]
    sft = settings.sft.model_copy(
        update={"max_rows": 9, "companions": 3, "counterfactuals": {"default": 1.0}, "batch_size": 4}
    )
    tokenizer = load_tokenizer(tiny_base)
    found = training_examples(rows, rows[42:], reader([HIT]), tokenizer, settings=sft, seed=1)
    for row in found.training.examples:
        assert row.target == ("`1.0` [1]" if row.outcome == "answer" else ABSTENTION)
        assert (row.outcome == "answer") == (
            "svm.SVC" in row.example.evidence and "svm.SVC" in str(row.messages)
        )
    kinds = Counter((count.kind, count.outcome) for count in found.counts)
    assert kinds["companion", "trained"] == 1
    plan = planned(found.training, sft, seed=1, by_length=False)
    names = [row.example.id for row in found.training.examples]
    groups = context_groups(names)
    whole = [group for group in groups if len(group) == sft.batch_size]
    assert whole
    batches = [set(plan.at(step)) for step in range(plan.steps)]
    assert all(set(group) in batches for group in whole)


def test_batches_that_share_no_sources_are_told_of() -> None:
    assert "a row with its companions is 4" in mixing(companions=3, batch_size=6)
    assert mixing(companions=3, batch_size=4) == ""
    assert mixing(companions=0, batch_size=6) == ""
