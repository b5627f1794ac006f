"""The commands `threeply rows export` and `import`: rows that went no further, for people to correct."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_text
from deploy.files import json_lines
from flows.errors import LabelError

if TYPE_CHECKING:
    from tasks.prepare.tracing.stored import Stored
    from tasks.rows.records import Dropped, Row

CORRECTIONS = Path("sources/corrections.jsonl")
STAGES = (
    "validate",
    "clean",
)  # rows that collect could not read are no rows: their lines are mended in the source
NAMED = 5


def add_flags(ways: Any) -> None:
    """The words `export` and `import` of `threeply rows`."""
    text = "write rows in quarantine, or those that clean has dropped, for people to correct"
    out = ways.add_parser("export", help=text, description=f"{text.capitalize()}.")
    out.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    out.add_argument(
        "--stage", choices=STAGES, default=STAGES[0], help="that let them go no further (validate)"
    )
    out.add_argument(
        "--doubtful",
        action="store_true",
        help="instead: rows of classify.task whose label is probably wrong, the surest first",
    )
    out.add_argument("--reason", metavar="REASON", help="only those of this reason")
    out.add_argument(
        "--format",
        choices=("jsonl", "argilla", "label-studio"),
        default="jsonl",
        help="jsonl to fill in, or records of Argilla or tasks of Label Studio",
    )
    text = "read what people have corrected, as a source of corrections"
    back = ways.add_parser("import", help=text, description=f"{text.capitalize()}.")
    back.add_argument("file", type=Path, metavar="FILE", help="the file, as exported and filled in")
    back.add_argument(
        "--out", type=Path, default=CORRECTIONS, metavar="FILE", help=f"the source to write ({CORRECTIONS})"
    )


def export_rows(data: Path, stored: "Stored", settings: Any, words: argparse.Namespace) -> None:
    """Write the rows that went no further, or those whose label is doubtful, for people to correct.

    Raises:
        LabelError: there are none.
        KnowledgeError: the embedder, by which labels are judged, is not there.
    """
    from tasks.prepare.correcting import to_correct

    found = _doubtful_rows(data, settings) if words.doubtful else _lost_rows(data, stored, words)
    records = to_correct(found, words.format)
    if words.format == "label-studio":  # it imports a list
        write_text(words.file, json.dumps(records, ensure_ascii=False, indent=1) + "\n")
    else:
        write_text(words.file, _lines(records))
    print(
        f"{words.file} has {len(records)} rows; change what is wrong, decide each (use, or leave out), and "
        f"take them back: threeply rows import {words.file}"
    )


def import_rows(file: Path, out: Path) -> None:
    """Write what people have decided as a source; older corrections of other rows stay.

    Raises:
        LabelError: the file cannot be read, or holds something else; or nothing is decided yet.
    """
    from dataclasses import asdict

    from deploy.files import read_json_lines
    from tasks.prepare.collect.identifiers import Correction
    from tasks.prepare.correcting import answered

    try:
        found = answered(_records(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise LabelError(f"{file} cannot be taken: {error}") from None
    if found.torn:
        named = ", ".join(found.torn[:NAMED]) + (", ..." if len(found.torn) > NAMED else "")
        print(f"people differ on {len(found.torn)} rows, which stay as they are: {named}")
    if not found.corrections:
        raise LabelError(f"{file} decides nothing yet: {found.waiting} rows wait for a decision")
    advice = "take the line out, or delete the file"
    old = read_json_lines(out, Correction, error=LabelError, advice=advice) if out.exists() else []
    # A row that was corrected before, and stopped again, has two: one follows the other.
    whole = {(each.kind, each.id, each.was): each for each in (*old, *found.corrections)}
    write_text(out, _lines([asdict(each) for each in whole.values()]))
    wait = f"{found.waiting} rows wait for a decision"
    print(f"{out} has {len(found.corrections)} corrections from {file}; {wait}")
    print(f"name it in params.yaml under collect.sources: {{kind: corrections, path: {out.as_posix()}}}")


def _lost_rows(data: Path, stored: "Stored", words: argparse.Namespace) -> list[tuple["Row", "Dropped"]]:
    """The rows as they were collected, each with why it went no further; of one id all of them."""
    from tasks.prepare.tracing.stored import RAW, rows_at
    from tasks.rows.identity import hidden
    from tasks.rows.tables import FILES, KINDS

    lost = {
        (row.kind, row.id): row
        for row in stored.lost.get(words.stage, ())
        if words.reason in (None, row.reason)
    }
    if not lost:
        why = f" for {words.reason}" if words.reason else ""
        raise LabelError(
            f"{words.stage} has stopped no row{why}: there is nothing to correct; "
            "threeply rows lost lists all reasons"
        )
    return [
        (row, dropped)
        for kind, record in KINDS.items()
        for row in rows_at(data / RAW / FILES[record])
        if (dropped := lost.get((kind, row.id)) or lost.get((kind, hidden(row.id))))
    ]


def _doubtful_rows(data: Path, settings: Any) -> list[tuple["Row", "Dropped"]]:
    """The collected rows with a label that is probably wrong, each with the one that is likelier."""
    from deploy.knowledge.embedder import SentenceEmbedder
    from deploy.messages import last_question
    from tasks.prepare.doubting import doubtful
    from tasks.prepare.tracing.stored import RAW
    from tasks.rows.records import Dropped, Example
    from tasks.rows.tables import FILES, read_shards

    shards = read_shards(data / RAW / FILES[Example], Example)
    rows = [row for shard in shards for row in shard if row.task == settings.classify.task]
    if not rows:
        raise LabelError(
            f"no row has the task {settings.classify.task!r} (classify.task): its answers would be labels"
        )
    embedder = SentenceEmbedder(data / "models/embedder", max_tokens=settings.index.embedded_tokens)
    vectors = embedder.embed_texts([last_question(row.prompt) for row in rows])
    found = doubtful([row.answer.strip() for row in rows], vectors, seed=settings.run.seed)
    if found.rare:
        print(f"too few rows to judge them have the labels {', '.join(found.rare)}")
    if not found.rows:
        raise LabelError(f"none of {found.judged} labels is doubtful: there is nothing to correct")
    print(f"{len(found.rows)} of {found.judged} labels are doubtful; the texts decide, so some will be right")
    return [
        (
            rows[doubt.place],
            Dropped(
                id=rows[doubt.place].id,
                kind="example",
                source=rows[doubt.place].source,
                stage="label",
                reason="doubtful",
                detail=f"{doubt.likelier} is likelier, by {doubt.margin:.2f}",
            ),
        )
        for doubt in found.rows
    ]


def _records(text: str) -> list[dict[str, Any]]:
    """The records of a file: one a line, or one list of them."""
    found = json.loads(text) if text.lstrip().startswith("[") else json_lines(text)
    if not all(isinstance(record, dict) for record in found):
        raise ValueError("it holds something that is no record")
    return found


def _lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
