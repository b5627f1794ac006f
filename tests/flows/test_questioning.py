"""Protects `threeply test-set`: from documents to a file that the chain reads, with nothing typed in vain."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from flows.cli import main
from flows.questioning import ask
from tasks.prepare.own_questions.sheet import read_sheet, to_fill_in, write_sheet
from tasks.rows.records import Document
from tasks.rows.tables import write_table
from tests.tasks.rows.made import document

SHEET = Path("sources/test.csv")
TEXT = "Books may be kept for two weeks by everyone who has a card of the library."


@pytest.fixture
def drawn(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project with four documents, of which three are drawn into a sheet."""
    documents = [document(f"d{n}", f"{TEXT} {n}", title=f"Title {n}") for n in range(4)]
    write_table(here / "data/splits/documents.parquet", Document, documents)
    assert main(["test-set", "draw", "--count", "3"]) == 0
    assert "sources/test.csv has 3 documents, 3 of them new, of 4" in capsys.readouterr().out
    return here


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let a person type these lines, and end the input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_a_sheet_grows_and_keeps_what_was_typed(drawn: Path) -> None:
    lines = read_sheet(SHEET)
    lines[1] |= {"question": "Why?", "answer": "So."}
    write_sheet(SHEET, lines)
    assert main(["test-set", "draw", "--count", "4"]) == 0
    grown = read_sheet(SHEET)
    assert grown[:3] == lines
    assert len({line["evidence"] for line in grown}) == 4
    assert main(["test-set", "draw", "--count", "2"]) == 0
    assert read_sheet(SHEET) == grown


def test_questions_are_asked_in_the_terminal_and_each_is_kept_at_once(
    drawn: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "How long?", "", "Two weeks.", "", "?", "Who pays?", "-")
    assert main(["test-set", "ask"]) == 0
    told = capsys.readouterr().out
    assert "sources/test.csv has 2 questions to 3 documents" in told
    # The text comes after the question, or when it is asked for.
    assert told.index("Question: ") < told.index(TEXT) < told.index("Answer (-")
    assert told.count(TEXT) == 2
    filled = [(line["question"], line["answer"], line["answerable"]) for line in read_sheet(SHEET)]
    assert filled == [("How long?", "Two weeks.", "yes"), ("", "", ""), ("Who pays?", "", "no")]


def test_it_ends_at_any_time_and_goes_on_with_what_is_missing(
    drawn: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "How long?", "Two weeks.", "Half asked?")
    assert main(["test-set", "ask"]) == 0
    assert [line["question"] for line in read_sheet(SHEET)] == ["How long?", "", ""]
    capsys.readouterr()
    typed(monkeypatch, "Who pays?", "Nobody.")
    assert main(["test-set", "ask"]) == 0
    assert "[1 of 3]" not in capsys.readouterr().out
    assert [line["question"] for line in read_sheet(SHEET)] == ["How long?", "Who pays?", ""]


def test_an_interrupt_loses_nothing(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers: Iterator[str] = iter(["How long?", "Two weeks."])

    def say(_: str) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    ask(SHEET, say=say)
    assert "has 1 questions to 3 documents" in capsys.readouterr().out
    assert read_sheet(SHEET)[0]["answer"] == "Two weeks."


def test_bytes_that_are_no_text_do_not_end_it(drawn: Path) -> None:
    answers = iter(["caf\udce9?", "Yes.", "", ""])
    ask(SHEET, say=lambda _: next(answers))
    assert read_sheet(SHEET)[0]["question"] == "caf\ufffd?"


def test_the_check_writes_what_the_chain_reads_and_says_how_to_use_it(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = read_sheet(SHEET)
    lines[0] |= {"question": "For how long is a novel mine?", "answer": "Two weeks."}
    lines[1] |= {"question": "Who pays?", "answerable": "no"}
    write_sheet(SHEET, lines)
    assert main(["test-set", "check", str(SHEET), "--write", "sources/test.jsonl"]) == 0
    said = capsys.readouterr().out
    assert "2 questions without a fault, 1 of them unanswerable; 1 empty lines" in said
    assert "With 2 questions a score near one half is known to +-0.69" in said
    assert "warning: these are few; 50 questions give +-0.14" in said
    used = "    - kind: file\n      path: sources/test.jsonl\n      held_out: own questions\n"
    assert used in said
    rows = [json.loads(line) for line in Path("sources/test.jsonl").read_text().splitlines()]
    assert [row["answer"] for row in rows] == ["Two weeks.", ABSTENTION]
    assert rows[0]["evidence"] == [lines[0]["evidence"]]


def test_the_lines_to_paste_are_right_where_they_are_pasted(drawn: Path) -> None:
    from flows.questioning import _used
    from tasks.settings import load_settings

    params = Path("params.yaml")
    text = params.read_text(encoding="utf-8")
    pasted = _used(Path("sources/test.jsonl")).split("\n\n")[1]
    params.write_text(text.replace("\n  sources:\n", f"\n  sources:\n{pasted}"), encoding="utf-8")
    source = load_settings(params).collect.sources[0]
    assert source.model_dump(include={"kind", "path", "held_out"}) == {
        "kind": "file",
        "path": Path("sources/test.jsonl"),
        "held_out": "own questions",
    }


def test_faults_end_the_check_and_nothing_is_written(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = read_sheet(SHEET)
    lines[0] |= {"question": "How long?"}
    lines[1] |= {"question": "Books may be kept for two weeks by everyone?", "answer": "Yes."}
    write_sheet(SHEET, lines)
    assert main(["test-set", "check", str(SHEET), "--write", "sources/test.jsonl"]) == 1
    out, err = capsys.readouterr()
    assert "line 2: the answer is empty" in out
    assert "line 3: warning: 100% of its words stand in" in out
    assert err == "error: 1 lines of sources/test.csv have to be mended; nothing was written\n"
    assert not Path("sources/test.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["draw"], 1, "there are no documents to ask about yet; name your sources"),
        (["draw", "--count", "0"], 2, "--count '0' is wrong; it should be a whole number of 1 or more"),
        (["draw", "--count", "many"], 2, "--count 'many' is wrong"),
        (["draw", "--out", "test.xlsx"], 2, "--out 'test.xlsx' is wrong; it should end in .csv"),
        (["ask"], 1, "sources/test.csv is not there; draw documents first: threeply test-set draw --out"),
        (["ask", "bad.csv"], 1, "bad.csv has no column 'answer'"),
        (["check", "no.csv"], 1, "no.csv is not there"),
        (["check", "empty.csv"], 1, "empty.csv holds no questions yet; ask some"),
        (["check", "empty.csv", "--write", "a.csv"], 2, "--write 'a.csv' is wrong; it should end in .jsonl"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    words: list[str], code: int, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_text("question,answerable\nWhy?,\n")
    write_sheet(Path("empty.csv"), [to_fill_in(document("d"))])
    assert main(["test-set", *words]) == code
    err = capsys.readouterr().err
    assert err.startswith(f"error: {said}")
    assert "Traceback" not in err
