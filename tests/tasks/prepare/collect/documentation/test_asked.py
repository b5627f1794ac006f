"""Protects the default questions: what they ask is true, checkable and balanced."""

import inspect
from collections import Counter

import pytest

from deploy.abstention import ABSTENTION
from tasks.prepare.collect.documentation.packages import read_packages
from tasks.prepare.collect.identifiers import Collected
from tasks.rows.records import Example
from tests.tasks.prepare.collect.documentation.packages import source


@pytest.fixture(scope="module")
def numpy_rows() -> Collected:
    return read_packages(source("numpy", max_facts=900, unanswerable=0.3), seed=5)


def test_the_share_of_unanswerable_questions_is_exact(numpy_rows: Collected) -> None:
    examples = [e for e in numpy_rows.rows.examples if e.task not in ("talk", "off_topic")]
    unanswerable = [e for e in examples if not e.answerable]
    assert len(examples) == 900
    assert len(unanswerable) == 270
    assert Counter(e.task for e in unanswerable) == {"absent": 135, "withheld": 135}
    assert all(e.answer == ABSTENTION and not e.evidence for e in unanswerable)
    assert all(len(e.withheld) == (e.task == "withheld") for e in examples)


def test_no_default_is_asked_for_too_often(numpy_rows: Collected) -> None:
    answers = Counter(e.answer for e in numpy_rows.rows.examples if e.task == "default")
    assert answers.total() > 200
    assert max(answers.values()) <= 0.1 * answers.total()


def test_every_quote_stands_once_in_its_document_and_beside_the_answer(numpy_rows: Collected) -> None:
    texts = {document.id: document.text for document in numpy_rows.rows.documents}
    for example in numpy_rows.rows.examples:
        if example.task in ("default", "purpose"):
            (document,) = example.evidence
            assert texts[document].count(example.quote) == 1
            paragraph = next(p for p in texts[document].split("\n\n") if example.quote in p)
            assert example.answer.strip("`") in paragraph


def test_a_comparison_takes_the_documents_of_both(numpy_rows: Collected) -> None:
    texts = {document.id: document.text for document in numpy_rows.rows.documents}
    compared = [e for e in numpy_rows.rows.examples if e.task == "compare"]
    assert len(compared) > 20
    for example in compared:
        assert example.takes_all
        assert len(set(example.evidence)) == 2
        stated = example.answer.split("`")[1::2]
        for document, value in zip(example.evidence, stated, strict=True):
            assert f"{example.quote}{value} :" in texts[document]
        assert example.answer.endswith(": the same." if len(set(stated)) == 1 else ": they differ.")


def test_of_three_callables_one_has_the_parameter(numpy_rows: Collected) -> None:
    titles = {document.title: document.text for document in numpy_rows.rows.documents}
    asked = [e for e in numpy_rows.rows.examples if e.task == "which"]
    assert len(asked) > 20
    first = Counter(
        example.prompt[0].content.find(example.answer.strip("`").split(".")[-1]) for example in asked
    )
    assert len(first) > 5  # the right one is not always named first
    for example in asked:
        assert example.quote in titles[example.answer.strip("`")]


def test_a_confirmation_is_right_about_the_value(numpy_rows: Collected) -> None:
    confirmed = [e for e in numpy_rows.rows.examples if e.task == "confirm"]
    verdicts = Counter(example.answer.split(", so ")[1] for example in confirmed)
    assert set(verdicts) == {"yes.", "no."}
    for example in confirmed:
        value = example.answer.split("`")[1]
        named = value in example.prompt[-1].content
        assert named or example.answer.endswith("no.") or value == "True"


def test_follow_ups_need_the_turn_before(numpy_rows: Collected) -> None:
    follow_ups = [e for e in numpy_rows.rows.examples if len(e.prompt) > 1]
    assert len(follow_ups) >= 60
    assert {len(e.prompt) for e in follow_ups} == {3}
    assert {e.answerable for e in follow_ups} == {True, False}
    assert all(e.prompt[1].role == "assistant" and e.prompt[1].content.endswith(" [1]") for e in follow_ups)


def test_answers_are_what_the_code_says(numpy_rows: Collected) -> None:
    import numpy as np

    assert repr(inspect.signature(np.linspace).parameters["num"].default) == "50"
    text = next(d.text for d in numpy_rows.rows.documents if d.title == "numpy.linspace")
    assert "num=50 : int" in text


def test_absent_parameters_are_nowhere_in_the_callable(numpy_rows: Collected) -> None:
    texts = {document.title: document.text for document in numpy_rows.rows.documents}
    checked = 0
    for example in numpy_rows.rows.examples:
        named = _named(example, texts) if example.task == "absent" else None
        if named is not None:
            name, parameter = named
            assert parameter not in texts[name].split("\n\n")[0].replace(",", " ").split()
            assert f"{parameter} :" not in texts[name]
            checked += 1
    assert checked >= 3


def test_no_question_is_asked_twice(numpy_rows: Collected) -> None:
    asked = Counter(example.prompt for example in numpy_rows.rows.examples)
    assert max(asked.values()) == 1


def test_twins_share_a_group(numpy_rows: Collected) -> None:
    groups = {}
    for example in numpy_rows.rows.examples:
        groups.setdefault(example.group, set()).add(example.prompt[0].content)
    assert len(groups) < len({d.title for d in numpy_rows.rows.documents})


def test_preferences_do_not_give_themselves_away(numpy_rows: Collected) -> None:
    pairs = read_packages(source("numpy", max_facts=900, unanswerable=0.3), seed=6).rows.preferences
    longer = sum((len(p.chosen) > len(p.rejected)) + 0.5 * (len(p.chosen) == len(p.rejected)) for p in pairs)
    assert len(pairs) == 12
    assert all(p.label == "synthetic" and p.chosen != p.rejected for p in pairs)
    assert Counter(p.flaw for p in pairs)["false_abstention"] == Counter(p.flaw for p in pairs)["invented"]
    assert 0.2 <= longer / len(pairs) <= 0.8
    groups = {e.prompt: e.group for e in numpy_rows.rows.examples}
    assert all(groups[p.prompt] == p.group for p in numpy_rows.rows.preferences)


def _named(example: Example, texts: dict[str, str]) -> tuple[str, str] | None:
    """The callable and the parameter of a question that has both in backticks, by its whole name."""
    words = example.prompt[-1].content.split("`")[1::2]
    name = next((word for word in words if word in texts), None)
    parameter = next((word for word in words if word != name), None)
    return (name, parameter) if name and parameter and len(words) == 2 else None
