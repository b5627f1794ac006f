"""Protects evaluation sets: every item of a file is read, and a line that holds none is told."""

import json
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.evaluations import Evaluations, read_evaluations
from tasks.rows.identity import asked_text


def read(path: Path, content: str | bytes) -> Evaluations:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_evaluations([path], watched=path.parent)


def asked(found: Evaluations) -> dict[int, str]:
    """What is asked on each line."""
    return {int(item.id.rpartition(":")[2]): asked_text(item.prompt) for item in found.items}


def test_any_shape_gives_what_it_asks(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    lines = [
        {"question": "Why?", "answers": ["Because.", "So."]},
        {"messages": [*turns, {"role": "assistant", "content": "2"}]},
        {"prompt": "Which?", "chosen": "This.", "rejected": "That."},
        {"text": "A text.", "id": 7},
        {"question": "Without an answer?"},
        {"prompt": turns},
    ]
    found = read(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert asked(found) == {
        1: "Why?", 2: "One?\nTwo?", 3: "Which?", 4: "A text.", 5: "Without an answer?", 6: "One?\nTwo?"
    }  # fmt: skip
    assert found.items[0].id == f"{tmp_path.as_posix()}/a.jsonl:1"
    assert asked(read(tmp_path / "a.csv", "question\nWhy?\n")) == {2: "Why?"}
    assert asked(read(tmp_path / "a.txt", "\ufeffWhy?\n\nWhich of them?\n")) == {
        1: "Why?",
        3: "Which of them?",
    }
    assert read_evaluations([], watched=tmp_path).items == ()


def test_lines_without_an_item_are_told_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = read(
        tmp_path / "a.jsonl", '{"question": "Why?"}\nbroken\n{"question": ""}\n{"answer": 1}\n{"messages": 3}'
    )
    assert asked(found) == {1: "Why?"}
    assert found.figures[0]["without"] == {"broken_json": 1, "no_item": 3}
    assert "4 lines hold none, and nothing is looked for there" in capsys.readouterr().out
    assert read(tmp_path / "a.txt", b"Why?\ncaf\xe9\n").figures[0]["without"] == {"not_utf8": 1}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "holds no item of an evaluation set.*or take it out of split.evaluations"),
        ("a.csv", "answer\nWhy?\n", "holds no item"),
        ("a.txt", "\n \n", "holds no item"),
        ("a.doc", "x", "files are read that end in"),
    ],
)
def test_a_set_without_items_stops_the_stage(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(tmp_path / name, content)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_set_that_is_not_there_stops_the_stage(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"is not there; correct"):
        read_evaluations([tmp_path / name], watched=tmp_path)
