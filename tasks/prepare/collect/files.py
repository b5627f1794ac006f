"""Source `file`: the rows of a file, whose shape is detected and said; other sources of rows share it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.machine.progress import Progress
from tasks.prepare.collect.columns import Shape
from tasks.prepare.collect.identifiers import Collected, identifier
from tasks.prepare.collect.opinions import good_answers
from tasks.prepare.collect.readers import Fault, Record, read_records
from tasks.prepare.collect.shapes import NAMES, as_rows, recognise
from tasks.prepare.collect.values import WrongShapeError
from tasks.prepare.collect_settings import FileSource, RowsSource
from tasks.rows.records import Document, Dropped, Preference, Row, Rows

_LOOKED_AT = 20  # records that decide on the shape of a file


def read_file(settings: FileSource, *, watched: Path) -> Collected:
    """The rows of a file; a line that is broken or of another shape is dropped with its number.

    Raises:
        SourceError: the file is missing, unreadable, empty, or has no shape that is known; or it is to be
            held out and holds documents.
    """
    path = settings.path
    say_if_unwatched(path, watched)
    return rows_of(path.as_posix(), list(read_records(path)), settings, figures={"path": path.as_posix()})


def rows_of(
    source: str, found: Sequence[Record | Fault], settings: RowsSource, *, figures: Mapping[str, Any]
) -> Collected:
    """The rows of the records `found` in a source; `figures` say where they come from.

    Raises:
        SourceError: there are none, or they have no shape that is known; or they are to be held out, or to
            teach, and are of another kind.
    """
    if not found:
        raise SourceError(
            f"{source} holds no rows; fill it, or take it out of collect.sources in params.yaml"
        )
    records = [entry for entry in found if isinstance(entry, Record)]
    shape = shape_of(source, records, settings.columns, settings.keep)
    if settings.held_out and shape.kind == "document":
        raise SourceError(
            f"{source} holds documents, which cannot be held out: they are searched, not asked; "
            "take `held_out` away from this source in params.yaml"
        )
    if settings.teaches and shape.kind != "preference":
        raise SourceError(
            f"{source} holds {shape.kind}s, of which there is no better answer to teach; take `teaches` away "
            "from this source in params.yaml"
        )
    rows: list[Row] = []
    dropped: list[Dropped] = []
    progress = Progress(len(found), "rows")
    for done, entry in enumerate(found, start=1):
        try:
            if isinstance(entry, Record):
                made = as_rows(shape, entry.values, source)
                rows += [_held_out(row, settings.held_out) for row in made]
            else:
                dropped.append(refused(source, shape, entry))
        except WrongShapeError as error:
            fault = Fault(entry.line, error.reason, str(error), entry.file)
            dropped.append(refused(source, shape, fault))
        progress.update(done)
    if settings.teaches:
        rows += good_answers([row for row in rows if isinstance(row, Preference)])
    lost = f", {len(dropped)} could not be read" if dropped else ""
    print(f"{source.rpartition('/')[2]}: {len(found)} rows, read as {_said(shape)}{lost}")
    return Collected(
        rows=Rows.of(rows),
        dropped=tuple(dropped),
        figures={**figures, "shape": shape.name, "columns": dict(shape.columns)},
    )


def _held_out(row: Row, name: str) -> Row:
    """The row under the name that its file is held out for; a name of its own wins."""
    return row if isinstance(row, Document) or row.held_out else replace(row, held_out=name)


def shape_of(
    source: Path | str, records: Sequence[Record], given: Mapping[str, str], keep: Sequence[str] = ()
) -> Shape:
    """The shape that most of the first records have; the first of two equally frequent.

    Raises:
        SourceError: none is known, or `given` or `keep` names a column that no record has.
    """
    present = {name for record in records for name in record.values}
    if unknown := sorted({*given.values(), *keep} - present):
        raise SourceError(
            f"{source} has no column {unknown[0]!r}, which `columns` or `keep` of this source names; "
            f"it has {', '.join(sorted(present)) or 'none'}"
        )
    shapes = [recognise(record.values.keys(), given) for record in records[:_LOOKED_AT]]
    counts = Counter(shape.name for shape in shapes if shape)
    if not counts:
        names = ", ".join(sorted({name for record in records[:_LOOKED_AT] for name in record.values}))
        raise SourceError(
            f"{source}: no shape fits its columns ({names or 'no line is a record'}); known are messages, "
            f"{' / '.join(NAMES['prompt'])} with {' / '.join(NAMES['completion'])}, "
            "instruction with output, chosen with rejected, answer_a with answer_b and winner, "
            "responses with ratings or ranking, and text. "
            "Rename the columns, or map them: `columns: {prompt: YOURS, completion: YOURS}`"
        )
    best = max(counts, key=lambda name: counts[name])
    found = next(shape for shape in shapes if shape and shape.name == best)
    return replace(found, keep=tuple(keep))


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
