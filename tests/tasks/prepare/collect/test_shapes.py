"""Protects the shapes of rows: each is read as what it is, its columns under any name."""

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.prepare.collect.columns import named
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tests.tasks.prepare.collect.reading import ANSWER, QUESTION, jsonl, read


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]},
        {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]},
        {"prompt": "Why?", "completion": "Because."},
        {"question": "Why?", "answer": "Because."},
        {"instruction": "Why?", "command": "Because."},
        {"instruction": "Why?", "input": "", "output": "Because."},
        {"question": "Why?", "answers": ["Because.", "Since."]},
    ],
)
def test_each_shape_of_example_is_read(tmp_path: Path, row: Mapping[str, Any]) -> None:
    (example,) = read(jsonl(tmp_path / "a.jsonl", row)).rows.examples
    assert example.messages == (QUESTION, ANSWER)
    assert example.task == "chat"
    assert example.answerable


def test_alpaca_input_follows_the_instruction(tmp_path: Path) -> None:
    row = {"instruction": "Add.", "input": "1, 2", "output": "3"}
    (example,) = read(jsonl(tmp_path / "a.jsonl", row)).rows.examples
    assert example.prompt == (Message("user", "Add.\n\n1, 2"),)


def test_a_text_with_a_label_is_a_question_and_its_answer(tmp_path: Path) -> None:
    rows = [{"text": "It lasts.", "label": "good"}, {"text": "It broke.", "label": 0, "task": "mood"}]
    found = read(jsonl(tmp_path / "a.jsonl", *rows)).rows.examples
    assert [(row.prompt[0].content, row.answer, row.task) for row in found] == [
        ("It lasts.", "good", "label"),
        ("It broke.", "0", "mood"),
    ]
    kept = FileSource(kind="file", path=jsonl(tmp_path / "b.jsonl", rows[0]), keep=["label"])
    (document,) = in_memory(read_file(kept, watched=tmp_path)).rows.documents
    assert (document.text, document.metadata) == ("It lasts.", {"label": "good"})


def test_documents_keep_their_ids_and_metadata(tmp_path: Path) -> None:
    row = {"id": "p/1", "title": "One", "text": "Text.", "metadata": {"year": 2020}}
    (document,) = read(jsonl(tmp_path / "a.jsonl", row)).rows.documents
    assert (document.id, document.title, document.metadata) == ("p/1", "One", {"year": "2020"})


def test_optional_columns_are_taken_and_mapped(tmp_path: Path) -> None:
    rows = (
        {"id": 1, "question": "Why?", "answer": "Because.", "page": "p/1", "topic": "t"},
        {"id": 2, "question": "Who?", "answers": [], "page": "p/1", "topic": "t"},
    )
    known, unknown = (
        read(
            jsonl(tmp_path / f"{row['id']}.jsonl", row), {"evidence": "page", "group": "topic"}
        ).rows.examples[0]
        for row in rows
    )
    assert (known.evidence, known.group, known.id) == (
        ("p/1",),
        "t",
        f"{(tmp_path / '1.jsonl').as_posix()}:1",
    )
    assert (unknown.answer, unknown.answerable, unknown.evidence) == (ABSTENTION, False, ())


def test_the_task_of_a_row_is_taken_as_it_is_given(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Why?", "completion": "SELECT 1", "task": "sql"},
        {"prompt": "Who?", "completion": "She", "task": " "},
        {"prompt": "When?", "completion": "Now", "task": None},
    ]
    found = read(jsonl(tmp_path / "a.jsonl", *rows)).rows.examples
    assert [example.task for example in found] == ["sql", "chat", "chat"]
    pair = {"prompt": "Why?", "chosen": "SELECT 1", "rejected": "SELECT", "task": "sql"}
    assert read(jsonl(tmp_path / "b.jsonl", pair)).rows.preferences[0].task == "sql"


def test_an_empty_cell_says_nothing_about_who_can_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"question,answer,answerable\nWhy?,So.,\nWho?,{ABSTENTION},\nWhen?,,no\nWhere?,,\n")
    found = [(row.answerable, row.answer) for row in read(path).rows.examples]
    assert found == [(True, "So."), (False, ABSTENTION), (False, ABSTENTION), (True, "")]


def test_rows_with_the_same_prompt_are_one_group_by_default(tmp_path: Path) -> None:
    rows = [{"prompt": "Why?", "completion": "A."}, {"prompt": " why? ", "completion": "B."}]
    one, two = read(jsonl(tmp_path / "a.jsonl", *rows)).rows.examples
    assert one.group == two.group


def test_the_mapping_of_names_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(jsonl(tmp_path / "faq.jsonl", {"question": "Why?", "answer": "Because."}))
    said = "faq.jsonl: 1 rows, read as prompt+completion (question -> prompt, answer -> completion)"
    assert said in capsys.readouterr().out


def test_columns_that_are_named_to_be_kept_go_along_as_metadata(tmp_path: Path) -> None:
    lines = [
        {"question": "Why?", "answer": "Because.", "region": "north", "year": 2024},
        {"question": "Who?", "answer": "Nobody.", "region": "", "year": None},
    ]
    source = FileSource(kind="file", path=jsonl(tmp_path / "a.jsonl", *lines), keep=["region", "year"])
    first, second = in_memory(read_file(source, watched=tmp_path)).rows.examples
    assert first.metadata == {"region": "north", "year": "2024"}
    assert second.metadata == {}
    with pytest.raises(SourceError, match="no column 'land', which `columns` or `keep`"):
        in_memory(read_file(source.model_copy(update={"keep": ["land"]}), watched=tmp_path))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a", "a"),
        (17, "17"),
        (17.0, "17"),
        (1.5, "1.5"),
        (Decimal("7"), "7"),
        (date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_a_name_is_taken_however_a_table_holds_it(value: object, name: str) -> None:
    assert named(value) == name


@pytest.mark.parametrize("value", [None, "", math.nan, [1], {"a": 1}])
def test_what_is_no_name_is_none(value: object) -> None:
    assert named(value) == ""


def test_documents_without_an_id_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title,text\n,One,A bee hums.\n,Two,A bird sings.\n", encoding="utf-8")
    source = FileSource(kind="file", path=tmp_path / "a.csv")
    names = [row.id for row in in_memory(read_file(source, watched=tmp_path)).rows.documents]
    assert len(set(names)) == 2
    assert "" not in names
