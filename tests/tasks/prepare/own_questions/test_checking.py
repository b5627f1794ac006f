"""Protects the check of a test set: each fault is told with its line, what is sound is written as read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.abstention import ABSTENTION
from tasks.errors import SourceError
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.own_questions.checking import as_record, check_questions, half_width
from tasks.rows.records import Example

DOCUMENTS = {"loans": "Books may be kept for two weeks, and longer if nobody else has asked for them."}


def lines(path: Path, *rows: Mapping[str, Any] | str) -> Path:
    """A JSONL file; a row that is text stands there as it is."""
    text = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{row}\n" for row in text), encoding="utf-8")
    return path


def asked(question: str, answer: str = "Two weeks.", **columns: object) -> dict[str, object]:
    return {"question": question, "answer": answer, **columns}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (asked(" "), "the question is empty"),
        (asked("For how long?", ""), "the answer is empty; where the documents do not say, write no under"),
        (asked("For how long?", answerable="maybe"), "answerable is 'maybe'; it should be yes or no"),
        (asked("For how long?", answerable="no"), "it has an answer, and answerable is no"),
        (asked("For how long?", ABSTENTION, answerable="yes"), "it is answerable, and its answer says"),
        (asked("is it  FINE?"), "asks what line 1 asks, and has another answer"),
        (asked("Is it fine?", "Yes."), "asks what line 1 asks"),
        (asked("For how long?", evidence="loan"), "there is no document 'loan'"),
        (asked("For how long?", evidence=["loans", "fees"]), "there is no document 'fees'"),
        ({"question": "For how long?"}, "cannot be read: there is no answer"),
        ('{"question": ', "cannot be read: column 1"),
    ],
)
def test_each_fault_is_told_with_its_line(tmp_path: Path, row: Mapping[str, Any] | str, said: str) -> None:
    found = check_questions(lines(tmp_path / "a.jsonl", asked("Is it fine?", "Yes."), row), DOCUMENTS)
    (remark,) = found.remarks
    assert (remark.line, remark.is_fault) == (2, True)
    assert remark.text.startswith(said)
    assert (len(found.questions), found.faults, found.empty) == (1, 1, 0)


def test_lines_that_nobody_has_filled_in_are_counted_and_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "evidence,question,answer,answerable\nloans,,,\nloans,,,no\nloans,How long?,Two weeks.,\n"
    )
    found = check_questions(path, DOCUMENTS)
    assert (len(found.questions), found.remarks, found.empty) == (1, (), 2)


def test_a_question_that_is_copied_out_of_its_document_is_warned_of(tmp_path: Path) -> None:
    copied = asked("Books may be kept for two weeks or three?", evidence="loans")  # seven of nine words
    own = asked("For how long is a novel mine?", evidence="loans")
    found = check_questions(lines(tmp_path / "a.jsonl", copied, own), DOCUMENTS)
    (remark,) = found.remarks
    assert (remark.line, remark.is_fault) == (1, False)
    assert remark.text == "78% of its words stand in loans in one run; ask it in words of your own"
    assert len(found.questions) == 2
    assert found.literal == pytest.approx((4 / 5 + 0) / 2)  # books, kept, two, weeks, and not three


def test_without_documents_their_ids_are_not_judged(tmp_path: Path) -> None:
    found = check_questions(lines(tmp_path / "a.jsonl", asked("How long?", evidence="anything")), None)
    assert (found.remarks, found.literal) == ((), None)


def test_what_is_written_is_what_the_source_reads(tmp_path: Path) -> None:
    rows = [
        asked("How long?", evidence="loans", title="Loans", excerpt="Books", id="q1"),
        asked("Who lends?", "", answerable="no", evidence="loans"),
    ]
    found = check_questions(lines(tmp_path / "a.jsonl", *rows), DOCUMENTS).questions
    known, unknown = [as_record(question) for question in found]
    how_long = {"question": "How long?", "answer": "Two weeks."}
    assert known == {"id": "q1", **how_long, "evidence": ["loans"], "answerable": True}
    assert unknown == {"question": "Who lends?", "answer": ABSTENTION, "answerable": False}
    read = reread(tmp_path / "b.jsonl", known, unknown)
    assert [(row.messages, row.evidence, row.answerable) for row in read] == [
        (each.row.messages, each.row.evidence, each.row.answerable) for each in found
    ]


def test_conversations_are_written_as_such(tmp_path: Path) -> None:
    turns = [("user", "How long?"), ("assistant", "Two weeks."), ("user", "No longer?"), ("assistant", "No.")]
    row = {
        "messages": [{"role": role, "content": content} for role, content in turns],
        "task": "sql",
        "group": "talk",
        "held_out": "hard ones",
    }
    (question,) = check_questions(lines(tmp_path / "a.jsonl", row), DOCUMENTS).questions
    (read,) = reread(tmp_path / "b.jsonl", as_record(question))
    assert read.messages == question.row.messages
    assert (read.task, read.group, read.held_out) == ("sql", "talk", "hard ones")


def reread(path: Path, *records: Mapping[str, Any]) -> Sequence[Example]:
    """The rows that the source makes of records."""
    source = FileSource(kind="file", path=lines(path, *records))
    return in_memory(read_file(source, watched=path.parent)).rows.examples


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "question;answer;answerable\n", "holds no rows"),
        ("a.csv", "question;answer\nWhy?;So.\n", "parted by semicolons; save it as CSV with commas"),
        ("a.jsonl", '{"text": "Text."}\n', "holds documents; a test set holds questions with answers"),
        ("a.jsonl", '{"prompt": "Why?", "chosen": "A", "rejected": "B"}\n', "holds preferences; a test set"),
        ("a.jsonl", "", "holds no rows; threeply test-set draw makes one"),
        ("a.txt", "", "files are read that end in"),
    ],
)
def test_what_is_no_test_set_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=said):
        check_questions(tmp_path / name, DOCUMENTS)


def test_the_interval_is_that_of_a_share_of_one_half() -> None:
    assert [round(half_width(count), 2) for count in (50, 100, 200)] == [0.14, 0.1, 0.07]
