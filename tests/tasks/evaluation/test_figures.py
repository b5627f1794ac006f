"""Protects the figures of citations and of subsets: what counts, what is left out."""

from dataclasses import replace

from deploy.messages import Message
from deploy.prompts.template import Source
from tasks.evaluation.arms import Answered
from tasks.evaluation.figures import (
    answer_lines,
    arms,
    citation_precision,
    citation_validity,
    recalls,
    subset_names,
    subsets,
)
from tasks.evaluation.ledger import FOLLOW_UPS, LIKE_TRAINING, Arm
from tasks.rows.records import Example

QUESTION = Example(
    id="q",
    source="s",
    task="default",
    messages=(Message("user", "Q?"), Message("assistant", "A")),
    evidence=("d",),
    quote="",
    withheld=(),
    answerable=True,
    group="g",
)


def cited(*numbers: int, documents: tuple[str, ...] = ("d", "x"), abstained: bool = False) -> Answered:
    sources = tuple(
        Source(number=number, document=document, uri="", title="", text="")
        for number, document in enumerate(documents, start=1)
    )
    return Answered(
        example=QUESTION,
        text="",
        score=1.0,
        abstained=abstained,
        numbers=numbers,
        sources=sources,
        finished=True,
    )


def test_a_citation_is_valid_when_each_number_is_a_source() -> None:
    assert citation_validity([cited(1), cited(1, 2), cited(3), cited()]) == 0.5
    assert citation_validity([cited(1, abstained=True), cited(1, documents=())]) is None


def test_a_citation_is_right_when_its_source_is_of_the_evidence() -> None:
    assert citation_precision([cited(1), cited(1, 2), cited(3)]) == 0.5
    assert citation_precision([cited()]) is None


EARLIER = (Message("user", "What is p?"), Message("assistant", "A thing."))
FOLLOW_UP = replace(QUESTION, messages=(*EARLIER, *QUESTION.messages))


def test_a_question_is_in_the_subset_that_it_is_held_out_for_and_in_the_follow_ups() -> None:
    assert subset_names(QUESTION) == {LIKE_TRAINING}
    assert subset_names(FOLLOW_UP) == {LIKE_TRAINING, FOLLOW_UPS}
    assert subset_names(replace(FOLLOW_UP, held_out="mine")) == {"mine", FOLLOW_UPS}
    assert subset_names(replace(FOLLOW_UP, held_out=FOLLOW_UPS)) == {"follow-ups (held out)", FOLLOW_UPS}


def test_subsets_have_their_own_scores_and_abstentions() -> None:
    mine = replace(QUESTION, held_out="mine")
    answers = [
        cited(1),
        replace(cited(1, abstained=True), score=0.0),
        replace(cited(1), example=replace(FOLLOW_UP, held_out="mine"), score=0.5),
        replace(cited(abstained=True), example=replace(mine, answerable=False)),
        replace(cited(), example=replace(mine, answerable=False), score=0.0),
    ]
    found = subsets(answers, resamples=200, seed=1)
    assert set(found) == {LIKE_TRAINING, "mine", FOLLOW_UPS}
    assert {name: (part.n, part.score) for name, part in found.items()} == {
        LIKE_TRAINING: (2, 0.5),
        "mine": (3, 0.5),
        FOLLOW_UPS: (1, 0.5),
    }
    assert (found["mine"].abstention, found["mine"].false_abstention) == (0.5, 0.0)
    assert (found[LIKE_TRAINING].abstention, found[LIKE_TRAINING].false_abstention) == (None, 0.5)
    assert found["mine"].low < 0.5 < found["mine"].high


def test_questions_of_one_kind_make_no_subsets() -> None:
    assert subsets([cited(1), cited(2)], resamples=200, seed=1) == {}
    assert recalls([cited(1), cited(2)]) == {}


MINE = replace(cited(1), example=replace(QUESTION, held_out="mine"))


def test_the_passage_is_looked_for_in_each_subset_apart() -> None:
    unfound = replace(MINE, sources=())
    made = replace(MINE, example=replace(QUESTION, source="packages", held_out="unseen wording", evidence=()))
    assert recalls([cited(1), MINE, unfound, unfound, made]) == {LIKE_TRAINING: 1.0, "mine": 0.3333}


def ledger_row(*answers: Answered, rule: float = 0.0) -> Arm:
    """What the ledger says of a tuned model, beside a rule that scores the same everywhere."""
    answered = {"sft": answers, "rule": [replace(answer, score=rule) for answer in answers]}
    return arms(
        answered,
        retention={},
        divergence={},
        latency=dict.fromkeys(answered),
        resamples=200,
        seed=1,
    )["sft"]


def test_where_the_user_has_a_test_set_the_row_is_over_that_alone() -> None:
    others = [replace(cited(3), score=0.0), replace(cited(abstained=True), score=0.0)]
    row, alone = ledger_row(*others, MINE, *others, MINE, rule=0.25), ledger_row(MINE, MINE, rule=0.25)
    assert replace(row, subsets={}) == alone
    assert (row.score, row.n, row.false_abstention, row.citation_validity) == (1.0, 2, 0.0, 1.0)
    assert row.over_rule is not None
    assert row.over_rule.mean == 0.75
    assert {name: (part.n, part.score) for name, part in row.subsets.items()} == {
        LIKE_TRAINING: (4, 0.0),
        "mine": (2, 1.0),
    }


def test_what_the_sources_hold_out_themselves_counts_like_the_rest() -> None:
    made = replace(MINE, example=replace(QUESTION, source="packages", held_out="unseen wording"))
    assert ledger_row(made, replace(cited(3), score=0.0)).score == 0.5


def test_a_follow_up_is_shown_behind_what_it_follows() -> None:
    [line] = answer_lines({"base": [replace(cited(1), example=FOLLOW_UP)]})
    assert line.question == "What is p? \u2192 Q?"
