"""Source `corrections`: rows that people have mended, or want left out; they take the place of what was read.

A correction names its row by kind and id, and by a fingerprint of what the row said when people looked at it:
where the source says something else by now, the correction no longer fits and is not used.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from deploy.abstention import abstains
from deploy.files import read_json_lines, text_sha256
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.identifiers import Correction
from tasks.prepare.collect.pieces import Given
from tasks.prepare.collect_settings import CorrectionsSource
from tasks.rows.records import Document, Dropped, Example, Preference, Row, RowKind
from tasks.rows.tables import KIND_OF

LEFT_OUT = "left_out_by_people"
Fate = Literal["mended", "left_out", "source_changed", "row_gone"]


def read_corrections(settings: CorrectionsSource, *, watched: Path) -> Given:
    """The corrections of a file; one that is not there has none.

    Raises:
        SourceError: a line is no correction.
    """
    path = settings.path
    say_if_unwatched(path, watched)
    found: list[Correction] = []
    if path.exists():
        advice = "write it by threeply rows import, or take the line out"
        found = read_json_lines(path, Correction, error=SourceError, advice=advice)
        print(f"{path.name}: {len(found)} corrections of people")
    else:
        print(f"{path.name}: not there yet, threeply rows import writes it")
    figures = {"path": path.as_posix(), "corrections": len(found)}
    return Given(pieces=(), finish=lambda _: figures, corrections=tuple(found))


class Corrections:
    """What people have said of rows; `fates` says how many rows it has met so far, and how.

    Corrections of one row follow each other: the second was made of what the first has left.
    """

    def __init__(self, corrections: Iterable[Correction]) -> None:
        self._wanted: defaultdict[tuple[RowKind, str], dict[str, Correction]] = defaultdict(dict)
        for each in corrections:
            self._wanted[each.kind, each.id][each.was] = each
        self._fitted: dict[tuple[RowKind, str], bool] = {}
        self._met: Counter[Fate] = Counter()

    def ids(self, kind: RowKind) -> list[str]:
        """The ids of the rows of a kind that they are about."""
        return [name for of, name in self._wanted if of == kind]

    def told(self, row: Row) -> Row | None:
        """What they make of a row; None where they leave it out."""
        key = (KIND_OF[type(row)], row.id)
        if key not in self._wanted:
            return row
        told = _followed(row, self._wanted[key])
        self._fitted[key] = self._fitted.get(key, False) or told is not row
        self._met["left_out"] += told is None
        self._met["mended"] += told is not None and told is not row
        return told

    def fates(self) -> Counter[Fate]:
        """What the rows have met, once all of them have come."""
        found = self._met.copy()
        found["source_changed"] = sum(not fits for fits in self._fitted.values())
        found["row_gone"] = len(self._wanted.keys() - self._fitted.keys())
        return +found


def left_out(row: Row) -> Dropped:
    """The line of a row that people have left out."""
    kind = KIND_OF[type(row)]
    return Dropped(id=row.id, kind=kind, source=row.source, stage="collect", reason=LEFT_OUT, detail="")


def _followed(row: Row, corrections: Mapping[str, Correction]) -> Row | None:
    """What corrections, by what the row said before each, make of it; None where one leaves it out.

    It is the very row where none fits.
    """
    open_to = dict(corrections)
    while said := open_to.pop(fingerprint(row), None):
        if said.decision == "leave out":
            return None
        row = with_texts(row, said.texts)
    return row


def texts_of(row: Row) -> dict[str, str]:
    """What people can change of a row, by name."""
    match row:
        case Example():
            return {"question": row.prompt[-1].content if row.prompt else "", "answer": row.answer}
        case Preference():
            asked = row.prompt[-1].content if row.prompt else ""
            return {"question": asked, "chosen": row.chosen, "rejected": row.rejected}
        case Document():
            return {"title": row.title, "text": row.text}


def with_texts(row: Row, texts: Mapping[str, str]) -> Row:
    """The row with other texts; id, source, group and evidence stay, so that it stands where it stood."""
    told = {**texts_of(row), **texts}
    match row:
        case Example():
            answer = Message("assistant", told["answer"])
            same = told["answer"] == row.answer
            return replace(
                row,
                messages=(*_asked(row.prompt, told["question"]), answer),
                answerable=row.answerable if same else not abstains(told["answer"]),
            )
        case Preference():
            prompt = _asked(row.prompt, told["question"])
            return replace(row, prompt=prompt, chosen=told["chosen"], rejected=told["rejected"])
        case Document():
            return replace(row, title=told["title"], text=told["text"], sha256=text_sha256(told["text"]))


def fingerprint(row: Row) -> str:
    """A checksum of all that a row says."""
    turns = [] if isinstance(row, Document) else [(turn.role, turn.content) for turn in row.prompt]
    return text_sha256(json.dumps([turns, texts_of(row)], sort_keys=True))


def _asked(prompt: tuple[Message, ...], question: str) -> tuple[Message, ...]:
    return (*prompt[:-1], Message(prompt[-1].role, question)) if prompt else prompt
