"""What each kind of source gives, by its entry in params.yaml."""

import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from tasks.prepare.collect.addressed import read_url
from tasks.prepare.collect.corrections import read_corrections
from tasks.prepare.collect.databases import read_sql
from tasks.prepare.collect.datasets import read_dataset
from tasks.prepare.collect.documentation.extracts import read_extracts
from tasks.prepare.collect.documentation.packages import read_packages
from tasks.prepare.collect.feedback import read_feedback
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.folders import read_folder
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.parts import Parts
from tasks.prepare.collect.pieces import Given, Piece, Told, settings_marks
from tasks.prepare.collect.queries import read_queries
from tasks.prepare.collect.readings import Readings
from tasks.prepare.collect.versions import packages_version
from tasks.prepare.collect_settings import (
    CorrectionsSource,
    DatasetSource,
    ExtractsSource,
    FeedbackSource,
    FileSource,
    FolderSource,
    PackagesSource,
    QueriesSource,
    Source,
    SqlSource,
    UrlSource,
)
from tasks.rows.records import Dropped, Row


def given_by(source: Source, folder: Path, parts: Parts, *, cache: Path, seed: int) -> Given:
    """What a source gives; `folder` is what DVC watches, and copies of what is fetched lie below `cache`.

    Raises:
        SourceError: it cannot be read.
    """
    match source:
        case PackagesSource() | ExtractsSource():
            return _of_packages(source, seed)
        case QueriesSource():
            return _at_once(source, lambda: read_queries(source, seed=seed), seed)
        case SqlSource():
            return read_sql(source, os.environ)  # how it is reached, the environment says
        case UrlSource():
            return read_url(source, cache=cache)
        case _:
            return _watched(source, folder, parts, cache=cache)


def _watched(
    source: FileSource | DatasetSource | FolderSource | FeedbackSource | CorrectionsSource,
    folder: Path,
    parts: Parts,
    *,
    cache: Path,
) -> Given:
    """What a source gives that has, or may have, its own files in the folder that DVC watches."""
    match source:
        case FileSource():
            return read_file(source, watched=folder)
        case DatasetSource():
            return read_dataset(source, watched=folder, cache=cache)
        case FolderSource():
            shelf = parts.shelf("readings", source.kind, source.path.as_posix())
            return read_folder(source, watched=folder, readings=Readings(shelf))
        case FeedbackSource():
            return read_feedback(source, watched=folder)
        case CorrectionsSource():
            return read_corrections(source, watched=folder)


def _of_packages(source: PackagesSource | ExtractsSource, seed: int) -> Given:
    """What is made of the documentation of packages."""
    marks = seed, packages_version(source.packages)
    if isinstance(source, ExtractsSource):
        return _at_once(source, lambda: read_extracts(source, seed=seed), *marks)
    return _at_once(source, lambda: read_packages(source, seed=seed), *marks)


def _at_once(
    source: Source, make: Callable[[], Collected], *marks: object, path: Path | None = None
) -> Given:
    """The rows that code makes all at once: of the file at `path`, or of what `marks` stand for."""

    def rows(told: Told) -> Iterable[Row | Dropped]:
        made = make()
        told["figures"] = dict(made.figures)
        return chain(*made.rows.by_kind().values(), made.dropped)

    name = path.as_posix() if path else " ".join([source.kind, *getattr(source, "packages", ())])
    piece = Piece(
        name=name,
        marks=("at once", settings_marks(source), *marks),
        rows=rows,
        path=path,
        files=[name] if path else (),
    )
    return Given(pieces=[piece], finish=lambda notes: notes[0].told["figures"])
