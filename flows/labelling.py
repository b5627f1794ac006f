"""The command `threeply label`: the tuned model's answers go to people or a model, and rankings come back."""

import argparse
import os
from pathlib import Path
from typing import Any, get_args

from deploy.atomic import write_text
from deploy.files import json_lines
from flows import judging
from flows.errors import LabelError

ANSWERS = Path("data/samples/answers.jsonl")
LABELS = Path("sources/labels.jsonl")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply label` understands."""
    from tasks.training.sampling.labelling import Format

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "write the answers that the last run has drawn into a file for people to rank"
    out = actions.add_parser("export", help=text, description=f"{text.capitalize()}.")
    out.add_argument("file", type=Path, metavar="FILE", help="the file to write, .jsonl")
    out.add_argument(
        "--format", choices=get_args(Format), default="jsonl", help="jsonl, or records of Argilla"
    )
    text = "let a model rank them, where people have no time for it"
    judging.add_flags(actions.add_parser("judge", help=text, description=f"{text.capitalize()}."))
    text = "read what people have ranked, as a source of preferences"
    back = actions.add_parser("import", help=text, description=f"{text.capitalize()}.")
    back.add_argument("file", type=Path, metavar="FILE", help="the file, as exported and filled in")
    back.add_argument(
        "--out", type=Path, default=LABELS, metavar="FILE", help=f"the source to write ({LABELS})"
    )


def label(root: Path, words: argparse.Namespace) -> None:
    """Do what the words ask for.

    Raises:
        LabelError: no answers have been drawn, or the file does not fit them.
        TrainingError: the model that judges does not answer.
    """
    if words.action == "export":
        export_answers(root, words.file, words.format)
    elif words.action == "judge":
        judge = judging.upstream(words, os.environ)
        judging.judge_answers(_different(root), words.file, judge, at_once=words.at_once)
    else:
        import_labels(root, words.file, words.out)


def export_answers(root: Path, file: Path, form: Any) -> None:
    """Write the answers of the last run for people to rank.

    Raises:
        LabelError: there are none.
    """
    from tasks.training.sampling.labelling import as_lines, to_label

    records = to_label(_different(root), form)
    write_text(file, as_lines(records))
    told = (
        "give each response a place in `ranking`, 1 for the best, and"
        if form == "jsonl"
        else "log the records,"
    )
    print(
        f"{file} has answers to {len(records)} questions; {told} take them back: threeply label import {file}"
    )


def import_labels(root: Path, file: Path, out: Path) -> None:
    """Write what people have ranked as a source; what an old one has of other questions stays.

    Raises:
        LabelError: the file cannot be read, or does not fit the answers that were drawn.
    """
    from tasks.training.sampling.labelling import as_lines, labelled

    try:
        records = json_lines(file.read_text(encoding="utf-8"))
        found, empty = labelled(records, _answers(root))
        old = json_lines(out.read_text(encoding="utf-8")) if out.exists() else []
    except (OSError, ValueError) as error:
        raise LabelError(f"{file} cannot be taken: {error}") from None
    if not found:
        raise LabelError(f"{file} has no ranking yet: {empty} questions wait for one")
    new = {each["id"] for each in found}
    write_text(out, as_lines([*(each for each in old if each.get("id") not in new), *found]))
    print(f"{out} has {len(found)} rankings from {file}; {empty} questions wait for one")
    print(f"name it in params.yaml under collect.sources: {{kind: file, path: {out.as_posix()}}}")


def _different(root: Path) -> list[Any]:
    """The answers of the last run; there are some."""
    found = _answers(root)
    if not found:
        raise LabelError(
            "the last run has drawn no answers that differ; set sample.enabled: true and sample.judge: "
            "people in params.yaml, and run threeply run --until sample"
        )
    return found


def _answers(root: Path) -> list[Any]:
    from deploy.files import read_json_lines
    from tasks.training.sampling.labelling import Answers

    advice = "run threeply run --until sample"
    return read_json_lines(root / ANSWERS, Answers, error=LabelError, advice=advice)
