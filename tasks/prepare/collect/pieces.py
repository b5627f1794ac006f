"""What a source gives, in pieces: each is read by itself, and anew only where it has changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.prepare.collect.identifiers import Collected, Correction
from tasks.prepare.collect.opinions import good_answers
from tasks.prepare.collect_settings import DescribedSource
from tasks.rows.records import Dropped, Preference, Row, RowKind, Rows
from tasks.rows.tables import KIND_OF

Told = dict[str, Any]  # what a reader counts on its way, as JSON can hold it


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file, a query, the documentation of packages: what is read as one.

    `rows` reads it, and puts what it counts on its way into the mapping that it is given. What comes of it
    follows from `marks` and from what lies at `path`; `files` are those that it is of. One that is `fresh` is
    read in each run. The better answers of one that `teaches` are examples, too.
    """

    name: str
    marks: tuple[object, ...]
    rows: Callable[[Told], Iterable[Row | Dropped]]
    path: Path | None = None
    files: Sequence[str] = ()
    fresh: bool = False
    teaches: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is known of a piece beside its rows.

    How many `rows` of each kind it has, how many were `lost`, by kind and reason, under which `names` of
    sources they stand, and what its reader has `told`.
    """

    rows: dict[RowKind, int]
    lost: dict[RowKind, dict[str, int]]
    names: list[str]
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where a dataset says what it is: a folder with its README; of one of the hub also the commit."""

    folder: Path
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a source gives. `finish` says what was read, and makes the figures of the report.

    `corrections` are about rows of other sources. `about` is where the source speaks of itself.
    """

    pieces: Sequence[Piece]
    finish: Callable[[Sequence[Note]], Mapping[str, Any]]
    corrections: tuple[Correction, ...] = ()
    about: About | None = None


class Tally:
    """Counts rows as they pass, for the note of their piece."""

    def __init__(self) -> None:
        self.told: Told = {}
        self._rows: Counter[RowKind] = Counter()
        self._lost: dict[RowKind, Counter[str]] = {}
        self._names: set[str] = set()

    def passing(self, rows: Iterable[Row | Dropped]) -> Iterator[Row | Dropped]:
        """The same rows, counted."""
        for row in rows:
            self._names.add(row.source)
            if isinstance(row, Dropped):
                self._lost.setdefault(row.kind, Counter())[row.reason] += 1
            else:
                self._rows[KIND_OF[type(row)]] += 1
            yield row

    def note(self) -> Note:
        """What has passed."""
        lost = {kind: dict(sorted(reasons.items())) for kind, reasons in sorted(self._lost.items())}
        return Note(rows=dict(self._rows), lost=lost, names=sorted(self._names), told=self.told)


def settings_marks(source: DescribedSource) -> dict[str, Any]:
    """The settings of a source that say which rows come of it."""
    return source.model_dump(mode="json", exclude={"licence", "origin", "tags"})


def in_memory(given: Given) -> Collected:
    """All that a source gives at once, for one that is small."""
    rows: list[Row] = []
    dropped: list[Dropped] = []
    unused: Counter[str] = Counter()
    notes: list[Note] = []
    for piece in given.pieces:
        tally = Tally()
        found = list(tally.passing(piece.rows(tally.told)))
        if piece.teaches:
            pairs = [row for row in found if isinstance(row, Preference)]
            found += tally.passing(good_answers(lambda pairs=pairs: pairs))  # type: ignore[misc]
        rows += [row for row in found if not isinstance(row, Dropped)]
        dropped += [row for row in found if isinstance(row, Dropped)]
        notes.append(tally.note())
        unused += Counter(notes[-1].told.get("unused", {}))
    return Collected(
        rows=Rows.of(rows),
        dropped=tuple(dropped),
        unused=unused,
        figures=given.finish(notes),
        corrections=given.corrections,
    )
