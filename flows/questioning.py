"""The command `threeply test-set`: draws documents to ask about, collects questions, and checks them."""

import argparse
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.errors import SettingsError
from flows.errors import SheetError

if TYPE_CHECKING:
    from tasks.prepare.own_questions.checking import Checked

SHEET = Path("sources/test.csv")
NAME = "own questions"
COUNT = 50
_DOCUMENTS = (Path("data/splits/documents.parquet"), Path("data/clean/rows/documents.parquet"))
_UNANSWERED = "-"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply test-set` understands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "draw documents into a sheet that people fill in; an old sheet is kept and grows"
    draw = actions.add_parser("draw", help=text, description=f"{text.capitalize()}.")
    draw.add_argument("--count", default=str(COUNT), metavar="N", help=f"documents in it ({COUNT})")
    draw.add_argument("--out", type=Path, default=SHEET, metavar="FILE", help=f"the sheet ({SHEET})")
    text = "ask for a question to each document of a sheet, here in the terminal"
    ask = actions.add_parser("ask", help=text, description=f"{text.capitalize()}.")
    ask.add_argument("sheet", type=Path, nargs="?", default=SHEET, metavar="FILE", help=f"({SHEET})")
    text = "say what is wrong in a file of questions, and how to use it"
    check = actions.add_parser("check", help=text, description=f"{text.capitalize()}.")
    check.add_argument("sheet", type=Path, metavar="FILE", help=".csv, .jsonl or .parquet")
    check.add_argument(
        "--write", type=Path, metavar="FILE", help="write the questions as JSONL, if all is well"
    )


def make_test_set(root: Path, words: argparse.Namespace, *, seed: int) -> None:
    """Do what the words ask for.

    Raises:
        SettingsError: a word is wrong.
        SheetError: there is nothing to draw from, or lines have to be mended.
        SourceError: a file cannot be read.
    """
    match words.action:
        case "draw":
            draw(root, words.out, _count(words.count), seed=seed)
        case "ask":
            ask(words.sheet)
        case _:
            check(root, words.sheet, write=words.write)


def draw(root: Path, sheet: Path, count: int, *, seed: int) -> None:
    """Write a sheet of `count` documents; what an old sheet holds stays, and more are added."""
    from tasks.prepare.collect.addresses import address
    from tasks.prepare.own_questions.drawing import draw_documents
    from tasks.prepare.own_questions.sheet import read_sheet, to_fill_in, write_sheet
    from tasks.rows.records import Document
    from tasks.rows.tables import read_table

    if sheet.suffix.lower() != ".csv":
        raise SettingsError(f"--out {str(sheet)!r} is wrong; it should end in .csv")
    path = _documents(root)
    documents = read_table(path, Document) if path else []
    if not documents:
        raise SheetError(
            "there are no documents to ask about yet; name your sources in params.yaml and collect them: "
            "threeply run --until split"
        )
    lines = read_sheet(sheet) if sheet.exists() else []
    asked = {line.get("evidence", "") for line in lines}
    drawn = [each for each in draw_documents(documents, count, seed=seed) if address(each) not in asked]
    added = drawn[: max(count - len(lines), 0)]
    write_sheet(sheet, [*lines, *map(to_fill_in, added)])
    print(f"{sheet} has {len(lines) + len(added)} documents, {len(added)} of them new, of {len(documents)}")
    print(f"Let the people who will ask fill it in, in a spreadsheet or with: threeply test-set ask {sheet}")


def ask(sheet: Path, *, say: Callable[[str], str] = input) -> None:
    """Ask for what a sheet lacks, and keep each answer at once; it ends where the input does."""
    from tasks.prepare.own_questions.sheet import read_sheet, write_sheet

    if not sheet.exists():
        raise SheetError(f"{sheet} is not there; draw documents first: threeply test-set draw --out {sheet}")
    lines = read_sheet(sheet)
    print(
        "Ask as you would ask a colleague, in your own words. The text is shown after the question.\n"
        "Enter alone passes a document over, ? shows its text first, Ctrl-D ends."
    )
    try:
        for number, line in enumerate(lines, start=1):
            if not line["question"].strip() and (given := _given(line, f"[{number} of {len(lines)}]", say)):
                line.update(given)
                write_sheet(sheet, lines)
    except (EOFError, KeyboardInterrupt):
        print()
    asked = sum(bool(line["question"].strip()) for line in lines)
    print(f"{sheet} has {asked} questions to {len(lines)} documents; see threeply test-set check {sheet}")


def _given(line: Mapping[str, str], place: str, say: Callable[[str], str]) -> dict[str, str]:
    """What a person fills a line in with; nothing where they pass it over."""
    title, text = line.get("title", "").strip(), line.get("excerpt", "")
    print(f"\n{place} {title or text}")
    question = _said("Question: ", say)
    shown = not title
    if question == "?":
        print(text)
        shown, question = True, _said("Question: ", say)
    if not question:
        return {}
    if not shown:
        print(text)
    answer = ""
    while not answer:
        answer = _said(f"Answer ({_UNANSWERED}: the documents do not say): ", say)
    if answer == _UNANSWERED:
        return {"question": question, "answer": "", "answerable": "no"}
    return {"question": question, "answer": answer, "answerable": "yes"}


def check(root: Path, sheet: Path, *, write: Path | None) -> None:
    """Print what is wrong in a file of questions, what their number is good for, and how to use them."""
    from deploy.atomic import write_text
    from tasks.prepare.collect.addresses import address
    from tasks.prepare.own_questions.checking import as_record, check_questions
    from tasks.rows.records import Document
    from tasks.rows.tables import read_table

    if write is not None and write.suffix.lower() != ".jsonl":
        raise SettingsError(f"--write {str(write)!r} is wrong; it should end in .jsonl")
    path = _documents(root)
    documents = read_table(path, Document) if path else []
    texts = {name: each.text for each in documents for name in (address(each), each.id)}
    checked = check_questions(sheet, texts if path else None)
    for remark in checked.remarks:
        print(f"line {remark.line}: {'' if remark.is_fault else 'warning: '}{remark.text}")
    if path is None:
        print("warning: no documents are collected yet, so the ids of documents were not checked")
    print("\n".join(_summary(sheet, checked)))
    left = "; nothing was written" if write else ""
    if checked.faults:
        raise SheetError(f"{checked.faults} lines of {sheet} have to be mended{left}")
    if not checked.questions:
        raise SheetError(f"{sheet} holds no questions yet{left}; ask some: threeply test-set ask {sheet}")
    if write is not None:
        rows = [json.dumps(as_record(question), ensure_ascii=False) for question in checked.questions]
        write_text(write, "".join(f"{row}\n" for row in rows))
        print(f"{write} is written: {len(rows)} questions")
    elif checked.empty:
        print("The empty lines would count as dropped rows; leave them out with: --write sources/test.jsonl")
    print(f"\n{_used(write or sheet)}")


def _summary(sheet: Path, checked: "Checked") -> list[str]:
    """How many questions there are, and what a score on them is good for."""
    from tasks.prepare.own_questions.checking import ENOUGH, half_width

    rows = [question.row for question in checked.questions]
    if not rows:
        return [f"{sheet} holds no questions without a fault yet, and {checked.empty} empty lines"]
    unanswerable = sum(not row.answerable for row in rows)
    told = [
        f"{sheet}: {len(rows)} questions without a fault, {unanswerable} of them unanswerable; "
        f"{checked.empty} empty lines",
        f"With {len(rows)} questions a score near one half is known to +-{half_width(len(rows)):.2f} "
        "(95 % interval).",
    ]
    if len(rows) < ENOUGH:
        told.append(f"warning: these are few; {ENOUGH} questions give +-{half_width(ENOUGH):.2f}")
    if checked.literal is not None:
        told.append(
            f"{checked.literal:.0%} of their content words stand literally in the documents that answer."
        )
    if blind := sum(row.answerable and not row.evidence for row in rows):
        told.append(f"warning: {blind} answerable questions name no document, so what is found is not judged")
    return told


def _used(path: Path) -> str:
    """What is to be put into params.yaml."""
    return (
        "Put this below collect.sources in params.yaml:\n\n"
        f"    - kind: file\n      path: {path.as_posix()}\n      held_out: {NAME}\n"
    )


def _documents(root: Path) -> Path | None:
    """Where the documents of the last run are, the most finished first."""
    return next((root / path for path in _DOCUMENTS if (root / path).is_file()), None)


def _said(question: str, say: Callable[[str], str]) -> str:
    """What a person has typed, as text that can be written."""
    return say(question).encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) == 0:
        raise SettingsError(f"--count {value!r} is wrong; it should be a whole number of 1 or more")
    return int(value)
