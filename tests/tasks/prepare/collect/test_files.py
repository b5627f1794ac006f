"""Protects user data: each shape is read, each broken line is told with its number, nothing else is lost."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource

QUESTION = Message("user", "Why?")
ANSWER = Message("assistant", "Because.")


def read(path: Path, columns: Mapping[str, str] | None = None) -> Collected:
    source = FileSource(kind="file", path=path, columns=dict(columns or {}))
    return in_memory(read_file(source, watched=path.parent))


def jsonl(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


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


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Why?", "chosen": "Because.", "rejected": "No."},
        {"prompt": "\n\nHuman: Why?\n\nAssistant:", "chosen": "Because.", "rejected": "No."},
        {
            "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}],
            "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
        },
        {"chosen": "\n\nHuman: Why?\n\nAssistant: Because.", "rejected": "\n\nHuman: Why?\n\nAssistant: No."},
        {"prompt": "Human: Why?\n\nAssistant:", "chosen": "Because.", "rejected": "No."},
        {
            "prompt": "Why?",
            "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}],
            "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
        },
        {"instruction": "Why?", "chosen_response": "Because.", "rejected_response": "No."},
        {"prompt": "Why?", "response_a": "No.", "response_b": "Because.", "winner": "b"},
        {"prompt": "Why?", "response_a": "No.", "response_b": "Because.", "winner": "model_b"},
        {"prompt": "Why?", "response_0": "Because.", "response_1": "No.", "better_response_id": 0},
        {"prompt": "Why?", "output_1": "No.", "output_2": "Because.", "preference": 2},
        {"prompt": "Why?", "answer_a": "No.", "answer_b": "Because.", "rating_a": 1, "rating_b": 4.5},
        {"prompt": "Why?", "responses": ["No.", "Because."], "ratings": [1, 3]},
        {"prompt": "Why?", "responses": ["No.", "Because."], "ranking": [2, 1]},
        {
            "instruction": "Why?",
            "completions": [
                {"response": "No.", "overall_score": 3},
                {"response": "Because.", "overall_score": 7},
            ],
        },
    ],
)
def test_each_shape_of_preference_is_read(tmp_path: Path, row: Mapping[str, Any]) -> None:
    (pair,) = read(jsonl(tmp_path / "a.jsonl", row)).rows.preferences
    assert (pair.prompt, pair.chosen, pair.rejected) == ((QUESTION,), "Because.", "No.")
    assert pair.label == "human"


def test_a_ranking_makes_a_pair_of_each_two_that_differ(tmp_path: Path) -> None:
    row = {"id": 7, "prompt": "Why?", "responses": ["No.", "So.", "Because."], "ratings": [1, 1, 4]}
    pairs = read(jsonl(tmp_path / "a.jsonl", row)).rows.preferences
    assert [(pair.chosen, pair.rejected, pair.margin) for pair in pairs] == [
        ("Because.", "No.", 3.0),
        ("Because.", "So.", 3.0),
    ]
    assert len({pair.id for pair in pairs}) == 2
    assert len({pair.group for pair in pairs}) == 1


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({"winner": "tie"}, "nothing_preferred", "equally good"),
        ({"winner": "both"}, "nothing_preferred", "equally good"),
        ({"winner": "left"}, "wrong_shape", "winner is 'left'; it should be a, b or tie"),
    ],
)
def test_a_comparison_without_a_winner_is_dropped_with_its_reason(
    tmp_path: Path, row: Mapping[str, Any], reason: str, detail: str
) -> None:
    known = {"prompt": "Why?", "answer_a": "No.", "answer_b": "Because."}
    found = read(jsonl(tmp_path / "a.jsonl", {**known, "winner": "a"}, {**known, **row}))
    (dropped,) = found.dropped
    assert len(found.rows.preferences) == 1
    assert (dropped.reason, detail in dropped.detail) == (reason, True)


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"responses": ["No."], "ratings": [1]}, "no list of two and more"),
        ({"responses": ["No.", "So."], "ratings": [1]}, "ratings is no list of a number for each"),
        ({"responses": ["No.", "So."], "ratings": [1, None]}, "ratings is 'None', not a number"),
        ({"responses": ["No.", "So."], "ratings": [1, float("nan")]}, "ratings is 'nan', not a number"),
        ({"responses": [{"text": "No."}, {"text": "So."}]}, "neither ratings nor a ranking"),
        ({"responses": ["No.", "So."], "ratings": [2, 2]}, "equally good"),
    ],
)
def test_a_ranking_that_cannot_be_read_says_what_it_lacks(
    tmp_path: Path, row: Mapping[str, Any], detail: str
) -> None:
    (dropped,) = read(jsonl(tmp_path / "a.jsonl", {"prompt": "Why?", **row})).dropped
    assert detail in dropped.detail


def test_better_answers_are_taught_once_a_prompt(tmp_path: Path) -> None:
    rows = (
        {"prompt": "Why?", "chosen": "B.", "rejected": "A."},
        {"prompt": "Why?", "chosen": "C.", "rejected": "B."},
        {"prompt": "Who?", "chosen": "D.", "rejected": "E."},
        {"prompt": "Who?", "chosen": "E.", "rejected": "D."},
    )
    path = jsonl(tmp_path / "a.jsonl", *rows)
    found = in_memory(read_file(FileSource(kind="file", path=path, teaches=True), watched=tmp_path)).rows
    (example,) = found.examples
    assert (example.prompt, example.answer) == ((QUESTION,), "C.")
    assert example.group == found.preferences[1].group
    assert len(found.preferences) == 4
    questions = jsonl(tmp_path / "b.jsonl", {"prompt": "Why?", "completion": "Because."})
    with pytest.raises(SourceError, match="holds examples, of which there is no better answer"):
        in_memory(read_file(FileSource(kind="file", path=questions, teaches=True), watched=tmp_path))


def test_conversations_that_part_earlier_are_no_preference(tmp_path: Path) -> None:
    row = {"chosen": "Human: Why?\n\nAssistant: A.", "rejected": "Human: Who?\n\nAssistant: B."}
    (dropped,) = read(jsonl(tmp_path / "a.jsonl", row)).dropped
    assert "chosen and rejected differ before their last turn" in dropped.detail


def test_the_ratings_of_both_answers_give_the_margin(tmp_path: Path) -> None:
    row = {"prompt": "Why?", "chosen": "A.", "rejected": "B.", "chosen_rating": 4.5, "rejected_rating": 2}
    assert read(jsonl(tmp_path / "a.jsonl", row)).rows.preferences[0].margin == 2.5


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


def test_a_file_may_be_held_out_and_a_name_of_its_own_wins(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Why?", "completion": "A."},
        {"prompt": "Who?", "completion": "B.", "held_out": " hard ones "},
        {"prompt": "When?", "completion": "C.", "held_out": ""},
        {"prompt": "Where?", "completion": "D.", "held_out": True},
    ]
    found = held_out(jsonl(tmp_path / "a.jsonl", *rows))
    names = [row.held_out for row in found.rows.examples]
    assert names == ["own questions", "hard ones", "own questions"]
    assert [row.detail for row in found.dropped] == ["line 4: held_out is a bool, not a name"]
    pairs = jsonl(tmp_path / "b.jsonl", {"prompt": "Why?", "chosen": "A.", "rejected": "B."})
    assert held_out(pairs).rows.preferences[0].held_out == "own questions"
    assert read(pairs).rows.preferences[0].held_out == ""


def test_documents_cannot_be_held_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds documents, which cannot be held out"):
        held_out(jsonl(tmp_path / "a.jsonl", {"text": "Text."}))


@pytest.mark.parametrize("name", ["validation", "a|b", " a", "x" * 41, "two\nlines"])
def test_names_that_the_ledger_cannot_show_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="it should be a name of at most 40"):
        FileSource(kind="file", path=Path("a.jsonl"), held_out=name)


def held_out(path: Path) -> Collected:
    """What a file gives that is held out."""
    return in_memory(
        read_file(FileSource(kind="file", path=path, held_out="own questions"), watched=path.parent)
    )


def test_an_empty_cell_says_nothing_about_who_can_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"question,answer,answerable\nWhy?,So.,\nWho?,{ABSTENTION},\nWhen?,,no\nWhere?,,\n")
    found = [(row.answerable, row.answer) for row in read(path).rows.examples]
    assert found == [(True, "So."), (False, ABSTENTION), (False, ABSTENTION), (True, "")]


def test_rows_with_the_same_prompt_are_one_group_by_default(tmp_path: Path) -> None:
    rows = [{"prompt": "Why?", "completion": "A."}, {"prompt": " why? ", "completion": "B."}]
    one, two = read(jsonl(tmp_path / "a.jsonl", *rows)).rows.examples
    assert one.group == two.group


def test_broken_lines_are_told_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"prompt": "Why?\u2028Say.", "completion": "Because."}, ensure_ascii=False).encode()
    path.write_bytes(
        b"\n".join(
            [
                b"\xef\xbb\xbf" + good,
                b'{"prompt": "cut',
                b'{"prompt": "caf\xe9", "completion": "x"}',
                b'"text"',
                b"",
                b'{"prompt": "a", "completion": ["x", {"y": 1}]}',
                b'{"prompt": "a", "completion": {"y": 1}}',
                b'{"prompt": "half \\ud800", "completion": "x"}',
                b'{"text": "a document"}',
                b"[" * 100_000,
            ]
        )
    )
    found = read(path)
    assert [e.prompt[0].content for e in found.rows.examples] == ["Why?\u2028Say.", "a"]
    assert [(d.reason, d.detail.split(":")[0]) for d in found.dropped] == [
        ("broken_json", "line 2"),
        ("not_utf8", "line 3"),
        ("wrong_shape", "line 4"),
        ("wrong_shape", "line 7"),
        ("not_utf8", "line 8"),
        ("wrong_shape", "line 9"),
        ("broken_json", "line 10"),
    ]
    assert "a.jsonl: 9 rows, read as prompt+completion, 7 could not be read" in capsys.readouterr().out


def test_the_mapping_of_names_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(jsonl(tmp_path / "faq.jsonl", {"question": "Why?", "answer": "Because."}))
    said = "faq.jsonl: 1 rows, read as prompt+completion (question -> prompt, answer -> completion)"
    assert said in capsys.readouterr().out


def test_csv_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["prompt", "completion"], ["Why,\nnow?", "Because."], ["too", "many", "x"]]
        )
    with path.open("ab") as file:
        file.write(b"caf\xe9,x\r\nWhy?,Because.\r\n")
    found = read(path)
    assert [e.prompt[0].content for e in found.rows.examples] == ["Why,\nnow?", "Why?"]
    assert [(d.reason, d.detail) for d in found.dropped] == [
        ("broken_csv", "line 4: 3 fields under 2 names"),
        ("not_utf8", "line 5: invalid bytes"),
    ]


def test_parquet_is_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"prompt": ["Why?"], "completion": ["Because."]}), tmp_path / "a.parquet")
    (example,) = read(tmp_path / "a.parquet").rows.examples
    assert example.messages == (QUESTION, ANSWER)


def test_what_cannot_be_used_is_named_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    (tmp_path / "odd.jsonl").write_text('{"alpha": 1}\n')
    (tmp_path / "bad.parquet").write_text("no parquet")
    (tmp_path / "a.doc").write_text("no rows")
    jsonl(tmp_path / "a.jsonl", {"prompt": "Why?", "completion": "Because."})
    faults: list[tuple[str, dict[str, str], str]] = [
        ("missing.jsonl", {}, "missing.jsonl is not there; correct the path"),
        ("empty.jsonl", {}, "empty.jsonl holds no rows; fill it"),
        ("odd.jsonl", {}, r"no shape fits its columns \(alpha\).*Rename the columns, or map them"),
        ("bad.parquet", {}, "cannot be read as Parquet"),
        ("a.doc", {}, r"files are read that end in \.jsonl, \.csv, \.tsv, \.parquet, \.xlsx, the texts"),
        ("a.jsonl", {"evidence": "page"}, "has no column 'page'"),
    ]
    for name, columns, message in faults:
        with pytest.raises(SourceError, match=message):
            read(tmp_path / name, columns)


def test_a_file_outside_the_watched_folder_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"prompt": "Why?", "completion": "Because."})
    in_memory(read_file(FileSource(kind="file", path=path), watched=tmp_path / "sources"))
    assert "DVC does not notice when it changes: move it there" in capsys.readouterr().out


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
