"""Protects the rule that a target says only what retrieval found: answer and mark, or abstention."""

from dataclasses import replace

from deploy.abstention import ABSTENTION
from deploy.assistant import Assistant
from deploy.knowledge.hits import Hit
from deploy.messages import Message
from tasks.rows.grounding import ground, ground_preferences
from tests.deploy.knowledge.listed import reader
from tests.tasks.rows.made import default_asked, pair

EXAMPLE = default_asked("e1", document="f")
PREFERENCE = pair("p1", evidence=("f",), quote="C=1.0 :")


def assistant(*chunks: tuple[str, str]) -> Assistant:
    hits = [
        Hit(chunk=n, document=document, uri=document, title=document, text=text, score=1.0)
        for n, (document, text) in enumerate(chunks)
    ]
    return reader(hits)


def test_an_answer_that_was_found_cites_its_source() -> None:
    found = assistant(("g", "C=1.0 : elsewhere"), ("f", "other part"), ("f", "C=1.0 : float"))
    (row,) = ground([EXAMPLE], found)
    assert (row.target, row.outcome) == ("`1.0` [3]", "answer")
    assert "C=1.0 : float" in row.messages[-1].content


def test_a_missed_answer_becomes_an_abstention() -> None:
    (row,) = ground([EXAMPLE], assistant(("f", "other part")))
    assert (row.target, row.outcome) == (ABSTENTION, "missed")


def test_withheld_documents_stay_hidden_and_the_answer_abstains() -> None:
    hidden = replace(
        EXAMPLE,
        messages=(EXAMPLE.messages[0], Message("assistant", ABSTENTION)),
        withheld=("f",),
        answerable=False,
    )
    (row,) = ground([hidden], assistant(("f", "C=1.0 : float"), ("g", "something")))
    assert (row.target, row.outcome) == (ABSTENTION, "abstention")
    asked = row.messages[-1].content
    assert "something" in asked
    assert "C=1.0" not in asked


def test_an_example_without_evidence_keeps_its_answer() -> None:
    chat = replace(EXAMPLE, task="chat", evidence=(), quote="")
    (row,) = ground([chat], assistant(("g", "something")))
    assert (row.target, row.outcome) == ("`1.0`", "free")


def test_both_answers_of_a_pair_carry_the_right_mark() -> None:
    (found,) = ground_preferences([PREFERENCE], assistant(("g", "x"), ("f", "C=1.0 : float")))
    assert (found.chosen, found.rejected, found.missed) == ("`1.0` [2]", "`2.0` [2]", False)


def test_a_false_abstention_carries_no_mark() -> None:
    row = replace(PREFERENCE, rejected=ABSTENTION, flaw="false_abstention")
    (found,) = ground_preferences([row], assistant(("f", "C=1.0 : float")))
    assert (found.chosen, found.rejected) == ("`1.0` [1]", ABSTENTION)


def test_an_invented_answer_cites_something() -> None:
    row = replace(PREFERENCE, chosen=ABSTENTION, rejected="`3`", flaw="invented", evidence=(), quote="")
    (found,) = ground_preferences([row], assistant(("g", "x")))
    assert (found.chosen, found.rejected, found.missed) == (ABSTENTION, "`3` [1]", False)


def test_a_pair_whose_evidence_was_missed_is_told() -> None:
    (found,) = ground_preferences([PREFERENCE], assistant(("g", "x")))
    assert found.missed
