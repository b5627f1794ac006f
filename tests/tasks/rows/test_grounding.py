"""Protects the rule that a target says only what retrieval found: answer and mark, or abstention."""

from dataclasses import replace

from deploy.abstention import ABSTENTION
from deploy.assistant import Assistant
from deploy.knowledge.hits import Hit
from deploy.messages import Message
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings
from tasks.rows.grounding import ground, ground_preferences
from tasks.rows.records import Example, Preference
from tests.deploy.knowledge.listed import ListedKnowledge

EXAMPLE = Example(
    id="e1",
    source="test",
    task="default",
    messages=(Message("user", "In `f`, what is the default of `C`?"), Message("assistant", "`1.0`")),
    evidence=("f",),
    quote="C=1.0 :",
    withheld=(),
    answerable=True,
    group="f",
)
PREFERENCE = Preference(
    id="p1",
    source="test",
    task="default",
    prompt=EXAMPLE.prompt,
    chosen="`1.0`",
    rejected="`2.0`",
    margin=0.0,
    label="synthetic",
    flaw="wrong_value",
    evidence=("f",),
    quote="C=1.0 :",
    withheld=(),
    group="f",
)


def assistant(*chunks: tuple[str, str]) -> Assistant:
    generation = GenerationSettings(max_new_tokens=8, temperature=0.0, top_p=1.0)
    hits = [
        Hit(chunk=n, document=document, uri=document, title=document, text=text, score=1.0)
        for n, (document, text) in enumerate(chunks)
    ]
    return Assistant(None, ListedKnowledge(hits), load_template("assistant"), generation)


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
    (pair,) = ground_preferences([PREFERENCE], assistant(("g", "x"), ("f", "C=1.0 : float")))
    assert (pair.chosen, pair.rejected, pair.missed) == ("`1.0` [2]", "`2.0` [2]", False)


def test_a_false_abstention_carries_no_mark() -> None:
    row = replace(PREFERENCE, rejected=ABSTENTION, flaw="false_abstention")
    (pair,) = ground_preferences([row], assistant(("f", "C=1.0 : float")))
    assert (pair.chosen, pair.rejected) == ("`1.0` [1]", ABSTENTION)


def test_an_invented_answer_cites_something() -> None:
    row = replace(PREFERENCE, chosen=ABSTENTION, rejected="`3`", flaw="invented", evidence=(), quote="")
    (pair,) = ground_preferences([row], assistant(("g", "x")))
    assert (pair.chosen, pair.rejected, pair.missed) == (ABSTENTION, "`3` [1]", False)


def test_a_pair_whose_evidence_was_missed_is_told() -> None:
    (pair,) = ground_preferences([PREFERENCE], assistant(("g", "x")))
    assert pair.missed
