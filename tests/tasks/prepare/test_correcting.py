"""Protects the way out and back: what people decide in any of three tools is the same correction."""

from collections.abc import Callable
from typing import Any

import pytest

from tasks.prepare.collect.corrections import fingerprint
from tasks.prepare.correcting import Format, answered, to_correct
from tasks.rows.records import Dropped, Row
from tests.tasks.rows.made import document, pair, question

ROWS: list[Row] = [question("a", "Why?", "Becuase."), pair("b"), document("c")]


def lost(row: Row) -> Dropped:
    return Dropped(id=row.id, kind="example", source="faq", stage="validate", reason="length", detail="")


def exported(form: Format) -> list[dict[str, Any]]:
    return to_correct([(row, lost(row)) for row in ROWS], form)


def fill_in(record: dict[str, Any], decision: str, text: str) -> None:
    record["decision"] = decision
    record["texts"]["answer"] = text


def in_argilla(record: dict[str, Any], decision: str, text: str) -> None:
    record.setdefault("responses", {})
    for question_name, value in (("decision", decision), ("corrected_answer", text)):
        given = record["responses"].setdefault(question_name, [])
        given.append({"value": value, "user_id": f"person {len(given)}"})


def in_label_studio(record: dict[str, Any], decision: str, text: str) -> None:
    result = [
        {"from_name": "decision", "to_name": "why", "type": "choices", "value": {"choices": [decision]}},
        {"from_name": "corrected_answer", "to_name": "answer", "type": "textarea", "value": {"text": [text]}},
    ]
    record.setdefault("annotations", []).append({"result": result, "was_cancelled": False})


TOOLS = [("jsonl", fill_in), ("argilla", in_argilla), ("label-studio", in_label_studio)]


@pytest.mark.parametrize(("form", "decide"), TOOLS)
def test_what_is_decided_comes_back_and_the_rest_waits(
    form: Format, decide: Callable[[dict[str, Any], str, str], None]
) -> None:
    records = exported(form)
    assert answered(records).waiting == 3
    decide(records[0], "use", "Because.")
    found = answered(records)
    (one,) = found.corrections
    assert (one.id, one.kind, one.decision) == ("a", "example", "use")
    assert one.texts["answer"] == "Because."
    assert one.was == fingerprint(ROWS[0])
    assert (found.waiting, found.torn) == (2, ())


@pytest.mark.parametrize(("form", "decide"), TOOLS[1:])
def test_where_people_differ_nothing_is_decided(
    form: Format, decide: Callable[[dict[str, Any], str, str], None]
) -> None:
    records = exported(form)
    decide(records[0], "use", "Because.")
    decide(records[0], "use", "Because!")
    found = answered(records)
    assert (found.corrections, found.torn) == ((), ("a",))
    again = exported(form)
    decide(again[0], "use", "Because.")
    decide(again[0], "use", "Because.")
    assert len(answered(again).corrections) == 1


def test_why_and_all_texts_are_shown() -> None:
    (one, two, three) = exported("label-studio")
    assert one["data"]["why"] == "validate: length"
    assert {"question", "chosen", "rejected"} <= set(two["data"])
    assert {"title", "text"} <= set(three["data"])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"a": 1}, "record 1 is none that threeply rows export has written"),
        ({"texts": {}, "decision": "use"}, "does not say which row"),
        ({"texts": {}, "id": "a", "kind": "poem", "was": ""}, "'poem' is no kind of row"),
        (
            {"texts": {}, "id": "a", "kind": "example", "was": "", "decision": "maybe"},
            "should be use or leave out",
        ),
        (
            {"texts": {"chosen": "x"}, "id": "a", "kind": "example", "was": "", "decision": "use"},
            "the texts of 'a' should be question, answer",
        ),
        (
            {"texts": {"answer": 3}, "id": "a", "kind": "example", "was": "", "decision": "use"},
            "each a text",
        ),
    ],
)
def test_what_is_no_decision_is_told(record: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        answered([record])
