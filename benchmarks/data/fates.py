"""What has become of each line of a file, by the tables that the stages have left."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from deploy.messages import last_question
from tasks.prepare.tracing.stored import SPLITS
from tasks.rows.records import Dropped, Example
from tasks.rows.tables import FILES, read_table

Text = tuple[str, str]  # question and answer
_LINE = re.compile(r"\bline (\d+)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """The split that a line stands in with its text; or the stage that dropped it, and why."""

    split: str = ""
    text: Text | None = None
    stage: str = ""
    reason: str = ""


def fates(data: Path, source: str, ids: Mapping[str, int]) -> dict[int, list[Fate]]:
    """By its number, what became of each line of `source`; a line without a fate is not in it.

    `ids` are the numbers of lines by their id. A line that could not be read has none: it is told by number.
    """
    found: dict[int, list[Fate]] = defaultdict(list)
    for row in _dropped(data):
        if row.source == source:
            number = ids.get(row.id.rpartition(":")[2])
            told = _LINE.search(row.detail)
            number = int(told[1]) if number is None and told else number
            if number is not None:
                found[number].append(Fate(stage=row.stage, reason=row.reason))
    for split in SPLITS:
        for example in read_table(data / "splits" / split / FILES[Example], Example):
            number = ids.get(example.id.rpartition(":")[2])
            if example.source == source and number is not None:
                text = (last_question(example.prompt), example.answer)
                found[number].append(Fate(split=split, text=text))
    return dict(found)


def _dropped(data: Path) -> Iterator[Dropped]:
    """The rows of every table of dropped rows, whichever stage has written it."""
    import pyarrow.parquet as pq

    names = [field.name for field in fields(Dropped)]
    for path in sorted(data.rglob("*.parquet")):
        if pq.read_schema(path).names == names:
            yield from read_table(path, Dropped)
