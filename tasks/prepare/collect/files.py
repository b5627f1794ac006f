"""Source `file`: the rows of a file, whose shape is detected and said; other sources of rows share it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.columns import Shape
from tasks.prepare.collect.identifiers import identifier
from tasks.prepare.collect.pieces import Given, Note, Piece, Told, settings_marks
from tasks.prepare.collect.readers import Fault, Record, read_records
from tasks.prepare.collect.shapes import NAMES, as_rows, recognise
from tasks.prepare.collect.values import WrongShapeError
from tasks.prepare.collect_settings import FileSource, RowsSource
from tasks.rows.records import Document, Dropped, Row

_LOOKED_AT = 20  # records that decide on the shape of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Where records come from: `read` gives them from the start, each time that it is called.

    `path` is the file that they stand in. What has none is read in each run: nobody knows whether it has
    changed.
    """

    name: str
    read: Callable[[], Iterable[Record | Fault]]
    path: Path | None = None


def read_file(settings: FileSource, *, watched: Path) -> Given:
    """The rows of a file; a line that is broken or of another shape is dropped with its number.

    Raises:
        SourceError: the file is missing, unreadable, empty, or has no shape that is known; or it is to be
            held out and holds documents.
    """
    path = settings.path
    say_if_unwatched(path, watched)
    files = [Records(name=path.as_posix(), read=partial(read_records, path), path=path)]
    return rows_of(path.as_posix(), files, settings, figures={"path": path.as_posix()})


def rows_of(
    source: str, files: Sequence[Records], settings: RowsSource, *, figures: Mapping[str, Any]
) -> Given:
    """The rows of the records in `files` of a source; `figures` say where they come from.

    Raises:
        SourceError: there are none, or they have no shape that is known; or they are to be held out, to have
            tags, or to teach, and are of another kind.
    """
    first = list(ahead(entry for file in files for entry in file.read()))
    if not first:
        raise SourceError(
            f"{source} holds no rows; fill it, or take it out of collect.sources in params.yaml"
        )
    records = [entry for entry in first if isinstance(entry, Record)]
    shape = shape_of(source, records, settings.columns, settings.keep)
    if settings.held_out and shape.kind == "document":
        raise SourceError(
            f"{source} holds documents, which cannot be held out: they are searched, not asked; "
            "take `held_out` away from this source in params.yaml"
        )
    if settings.tags and shape.kind != "document":
        raise SourceError(
            f"{source} holds {shape.kind}s, and tags say who sees documents; take `tags` away from this "
            "source in params.yaml"
        )
    if settings.teaches and shape.kind != "preference":
        raise SourceError(
            f"{source} holds {shape.kind}s, of which there is no better answer to teach; take `teaches` away "
            "from this source in params.yaml"
        )

    def finish(notes: Sequence[Note]) -> dict[str, Any]:
        missing = set.intersection(*(set(note.told["missing"]) for note in notes))
        if missing:
            raise _no_column(source, missing, records)
        lost = sum(sum(reasons.values()) for note in notes for reasons in note.lost.values())
        told = f", {lost} could not be read" if lost else ""
        count = sum(note.told["records"] for note in notes)
        print(f"{source.rpartition('/')[2]}: {count} rows, read as {_said(shape)}{told}")
        return {**figures, "shape": shape.name, "columns": dict(shape.columns)}

    found = (shape.name, dict(shape.columns))
    pieces = [
        Piece(
            name=file.name,
            marks=("records", file.name, settings_marks(settings), found),
            rows=partial(_rows, source, file, shape, settings),
            path=file.path,
            files=[file.name] if file.path else (),
            fresh=file.path is None,
            teaches=settings.teaches,
        )
        for file in files
    ]
    return Given(pieces=pieces, finish=finish)


def _rows(
    source: str, file: Records, shape: Shape, settings: RowsSource, told: Told
) -> Iterator[Row | Dropped]:
    """The rows of the records of a file, and in their place those that hold none."""
    missing, count = {*settings.columns.values(), *settings.keep}, 0
    for count, entry in enumerate(file.read(), start=1):  # noqa: B007  # it is told behind the loop
        if isinstance(entry, Fault):
            yield refused(source, shape, entry)
            continue
        missing -= entry.values.keys()
        try:
            made = as_rows(shape, entry.values, source)
        except WrongShapeError as error:
            yield refused(source, shape, Fault(entry.line, error.reason, str(error), entry.file))
        else:
            yield from (_held_out(row, settings.held_out) for row in made)
    told |= {"records": count, "missing": sorted(missing)}


def ahead(entries: Iterable[Record | Fault]) -> Iterator[Record | Fault]:
    """The entries up to the last record that decides on the shape, and no further."""
    records = 0
    for entry in entries:
        yield entry
        records += isinstance(entry, Record)
        if records == _LOOKED_AT:
            return


def _held_out(row: Row, name: str) -> Row:
    """The row under the name that its file is held out for; a name of its own wins."""
    return row if isinstance(row, Document) or row.held_out else replace(row, held_out=name)


def shape_of(
    source: Path | str, records: Sequence[Record], given: Mapping[str, str], keep: Sequence[str] = ()
) -> Shape:
    """The shape that most of the first records have; the first of two equally frequent.

    Raises:
        SourceError: none is known, or `given` or `keep` names a column that none of them has.
    """
    shapes = [recognise(record.values.keys(), given, keep) for record in records[:_LOOKED_AT]]
    counts = Counter(shape.name for shape in shapes if shape)
    if not counts:
        names = {name for record in records[:_LOOKED_AT] for name in record.values}
        if unknown := {*given.values(), *keep} - names:
            raise _no_column(source, unknown, records)
        raise SourceError(
            f"{source}: no shape fits its columns ({', '.join(sorted(names)) or 'no line is a record'}); "
            f"known are messages, {' / '.join(NAMES['prompt'])} with {' / '.join(NAMES['completion'])}, "
            "instruction with output, chosen with rejected, answer_a with answer_b and winner, "
            "responses with ratings or ranking, and text. "
            "Rename the columns, or map them: `columns: {prompt: YOURS, completion: YOURS}`"
        )
    best = max(counts, key=lambda name: counts[name])
    found = next(shape for shape in shapes if shape and shape.name == best)
    return replace(found, keep=tuple(keep))


def _no_column(source: Path | str, unknown: Iterable[str], records: Iterable[Record]) -> SourceError:
    present = {name for record in records for name in record.values}
    return SourceError(
        f"{source} has no column {min(unknown)!r}, which `columns` or `keep` of this source names; "
        f"it has {', '.join(sorted(present)) or 'none'}"
    )


def _said(shape: Shape) -> str:
    mapped = [f"{theirs} -> {ours}" for ours, theirs in shape.columns.items() if ours != theirs]
    return f"{shape.name} ({', '.join(mapped)})" if mapped else shape.name


def refused(source: str, shape: Shape, fault: Fault) -> Dropped:
    """The record of a line that could not be read."""
    file = [fault.file] if fault.file else []
    return Dropped(
        id=identifier(source, *file, fault.line),
        kind=shape.kind,
        source=source,
        stage="collect",
        reason=fault.reason,
        detail=f"{' '.join([*file, 'line'])} {fault.line}: {fault.detail}",
    )
