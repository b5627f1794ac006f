"""Protects evaluation sets: a row that holds an item of one is named with it, whatever the row is."""

from collections import Counter
from collections.abc import Sequence

from deploy.messages import Message
from tasks.prepare.decontamination.evaluations import documents_holding, holding, told_by_file
from tasks.prepare.similar.rows import Asked
from tasks.rows.records import EvaluationItem
from tests.tasks.rows.made import document, pair, question

LONG = "Which river did the last Roman legions of the province cross before the winter of that year began?"
GLUED = "Who was the non-Taliban leader of the long-lost valley?"


def item(line: int, *asked: str, file: str = "sources/exam.jsonl") -> EvaluationItem:
    """The item of a line: a single question, or the turns of a conversation."""
    return EvaluationItem(
        id=f"{file}:{line}", source=file, prompt=tuple(Message("user", text) for text in asked)
    )


ITEMS = [item(1, LONG), item(2, "Who built it?"), item(3, GLUED), item(4, "How far is it?", "And by boat?")]


def told(rows: Sequence[Asked]) -> dict[str, str]:
    """What each of the rows holds that holds an item, by their ids."""
    return {rows[each.place].id: each.told() for each in holding(rows, ITEMS)}


def test_whatever_the_row_is_its_item_is_found() -> None:
    turns = (Message("user", "Hello!"), Message("assistant", "Yes?"), Message("user", LONG))
    rows = [
        question("same", "who built it"),
        question("within", f"A text.\n\n{LONG}"),
        question("answer", "What did they ask?", f"This: {LONG}"),
        question("other", "Who built the bridge over the bay?"),
        question("glued", "who was the nontaliban leader of the longlost valley"),
        question("edited", LONG.replace("legions", "armies").replace("that", "this")),
        question("follow-up", messages=(*turns, Message("assistant", "The Rhine."))),
        question("conversation", messages=(*ITEMS[3].prompt, Message("assistant", "Far."))),
        pair("prompt", prompt=turns),
        pair("rejected", rejected=f"You ask: {LONG}"),
        pair("no"),
    ]
    assert told(rows) == {
        "same": "sources/exam.jsonl:2 1.00",
        "within": "sources/exam.jsonl:1 1.00",
        "answer": "sources/exam.jsonl:1 1.00",
        "glued": "sources/exam.jsonl:3 1.00",
        "edited": told(rows)["edited"],
        "follow-up": "sources/exam.jsonl:1 1.00",
        "conversation": "sources/exam.jsonl:4 1.00",
        "prompt": "sources/exam.jsonl:1 1.00",
        "rejected": "sources/exam.jsonl:1 1.00",
    }
    assert told(rows)["edited"].startswith("sources/exam.jsonl:1 0.")
    assert holding(rows, []) == []


def test_what_holds_an_item_is_counted_by_its_file() -> None:
    other = item(1, "When did the first of the three towers by the sea fall down?", file="sources/b.csv")
    items = [*ITEMS, other]
    found = Counter(each.item.source for each in holding([question("a", LONG), question("c")], items))
    documents = documents_holding([document("d", f"Ask: {LONG}"), document("e")], items)
    assert told_by_file(items, examples=found, documents=documents) == {
        "sources/b.csv": {"items": 1, "examples": 0, "documents": 0},
        "sources/exam.jsonl": {"items": 4, "examples": 1, "documents": 1},
    }
    assert documents_holding([document("d", LONG)], []) == {}
