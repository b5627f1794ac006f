"""Which examples may be chosen, and what a chosen one looks like as a line of a source."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.messages import as_dicts
from tasks.prepare.collect.addresses import address
from tasks.prepare.selection.choosing import Chosen
from tasks.rows.records import GENERAL_TASK, Document, Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The examples that may be chosen, and how many others there are, by the reason."""

    rows: tuple[Example, ...]
    left_out: Mapping[str, int]


def pool_of(examples: Iterable[Example], *, most: int | None, seed: int) -> Pool:
    """The examples that can be trained on and stand as a line of a file; `most` of them, by lot.

    A row whose document is withheld is right only beside that setting, which no file has.
    """
    left_out: Counter[str] = Counter()
    rows: list[Example] = []
    for row in examples:
        if reason := _barred(row):
            left_out[reason] += 1
        else:
            rows.append(row)
    if most is not None and most < len(rows):
        left_out["not drawn into the pool"] = len(rows) - most
        kept = set(random.Random(seed).sample(range(len(rows)), most))
        rows = [row for place, row in enumerate(rows) if place in kept]
    return Pool(rows=tuple(rows), left_out=dict(left_out))


def _barred(row: Example) -> str:
    if row.held_out:
        return "held out: never trained on"
    if row.withheld:
        return "a document is withheld, which a file cannot say"
    return "general, for replay" if row.task == GENERAL_TASK else ""


def as_records(
    rows: Sequence[Example], chosen: Sequence[Chosen], documents: Iterable[Document], *, by: str
) -> list[dict[str, Any]]:
    """What the lines of the file hold: rows as the source `file` reads them, and why each was chosen.

    Documents are named by their address, which outlives a change of their text. Ids lose the name of their
    file, since the new one puts its own before them; of several files they keep it, two may count from 1.
    """
    known = {document.id: address(document) for document in documents}
    short = [rows[each.place].id.removeprefix(f"{rows[each.place].source}:") for each in chosen]
    distinct = len(set(short)) == len(short)
    return [
        {
            **row.metadata,
            "id": name if distinct else row.id,
            "messages": as_dicts(row.messages),
            "task": row.task,
            "group": row.group,
            "evidence": [known.get(document, document) for document in row.evidence],
            "answerable": row.answerable,
            "chosen_by": by,
            "chosen_for": round(each.score, 6),
            "from": row.source,
        }
        for each, name in zip(chosen, short, strict=True)
        for row in (rows[each.place],)
    ]
