"""Sources `documents` and `markdown`: every file below a folder becomes a document, if its format is read."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from deploy.documents.reading.formats import SUFFIXES
from deploy.documents.reading.reading import Reading
from deploy.errors import DocumentError
from deploy.files import text_sha256
from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.machine.process import cores
from tasks.machine.progress import Progress
from tasks.prepare.collect.identifiers import identifier
from tasks.prepare.collect.pieces import Given, Note, Piece, Told, settings_marks
from tasks.prepare.collect.readings import Readings, mark_of
from tasks.prepare.collect_settings import FolderSource
from tasks.rows.records import Document, Dropped

# What each kind of source reads.
READ = {"documents": SUFFIXES, "markdown": (".md",)}
LINK = "link to a folder"
TOLD = 20  # files that could not be read, by name
_AT_ONCE = 256  # files whose texts are in memory


def read_folder(source: FolderSource, *, watched: Path, readings: Readings) -> Given:
    """A document for each file below the folder, titled as it titles itself, or else by its name.

    A file that cannot be read is dropped with its reason; files of other formats are counted. What `readings`
    has of a file is not read again.

    Raises:
        SourceError: the folder is missing, or nothing that is read lies below it.
    """
    folder = source.path
    say_if_unwatched(folder, watched)
    if not folder.is_dir():
        raise SourceError(
            f"{folder} is not a folder; correct the path of the source `{source.kind}` in params.yaml"
        )
    paths, others = files_of(source)
    if not paths:
        raise SourceError(
            f"no {' or '.join(READ[source.kind])} file lies below {folder}; put some there, or name another "
            "folder"
        )

    def finish(notes: Sequence[Note]) -> dict[str, Any]:
        (note,) = notes
        lost = sum(note.lost.get("document", {}).values())
        print(f"{folder}: {note.rows.get('document', 0)} documents, {lost} files could not be read")
        if others[LINK]:
            print(
                f"{folder}: {others[LINK]} links to folders are not followed; put the files there, or name "
                "the folders that they lead to"
            )
        for detail in note.told["unread"]:
            print(detail)
        if lost > TOLD:
            print(f"and {lost - TOLD} more, which data/raw/dropped.parquet lists")
        return {"path": str(folder), "files": len(paths), "other_formats": dict(sorted(others.items()))}

    marks = {path: mark_of(path) for path in paths}
    piece = Piece(
        name=folder.as_posix(),
        marks=("folder", settings_marks(source), [(path.as_posix(), mark) for path, mark in marks.items()]),
        rows=partial(_documents, source, marks, readings),
        files=[path.as_posix() for path in paths],
    )
    return Given(pieces=[piece], finish=finish)


def _documents(
    source: FolderSource, marks: Mapping[Path, str], readings: Readings, told: Told
) -> Iterator[Document | Dropped]:
    """The documents in the files, which have these marks, and what could not be read in their place."""
    progress = Progress(len(marks), "files")
    unread: list[str] = []
    left, done = iter(marks.items()), 0
    with ThreadPoolExecutor(cores()) as pool:  # each waits for a process that reads
        while some := list(islice(left, _AT_ONCE)):
            for (path, _), read in zip(some, pool.map(readings.read, *zip(*some, strict=True)), strict=True):
                done += 1
                if isinstance(read, DocumentError):
                    lost = _unread(source.kind, path, read)
                    unread += [lost.detail][: TOLD - len(unread)]
                    yield lost
                else:
                    for note in read.notes:
                        print(f"{path}: {note}")
                    yield _document(source.kind, path, path.relative_to(source.path), read)
                progress.update(done)
    readings.keep(marks)
    # What was not read for want of time or of leave may be read the next time.
    told |= {"unread": unread, "files_read": readings.count, "again": bool(unread)}


def files_of(source: FolderSource, root: Path = Path()) -> tuple[list[Path], Counter[str]]:
    """The files below the folder that the source reads, in order; how many others there are, by suffix.

    Links to folders are counted and not followed: one may lead back to where it lies.

    Raises:
        SourceError: a folder cannot be looked into, so that nobody knows what it holds.
    """
    paths: list[Path] = []
    others = Counter[str]()
    for place, folders, names in os.walk(root / source.path, onerror=_unreadable):
        others[LINK] += sum((Path(place) / name).is_symlink() for name in folders)
        for path in (Path(place) / name for name in names):
            suffix = path.suffix.lower()
            if not path.is_file():
                others["no file"] += 1
            elif suffix in READ[source.kind]:
                paths.append(path)
            else:
                others[suffix or path.name] += 1
    return sorted(paths), +others


def _unreadable(error: OSError) -> None:
    raise SourceError(
        f"{error.filename} cannot be looked into: {error.strerror}; let it be read, or take it away"
    )


def _document(source: str, path: Path, name: Path, read: Reading) -> Document:
    return Document(
        id=identifier(source, name.as_posix(), read.text),
        source=source,
        uri=f"file:{path.as_posix()}",
        title=read.title or name.stem,
        text=read.text,
        metadata={},
        sha256=text_sha256(read.text),
    )


def _unread(source: str, path: Path, error: DocumentError) -> Dropped:
    return Dropped(
        id=identifier(source, path.as_posix()),
        kind="document",
        source=source,
        stage="collect",
        reason=error.reason,
        detail=f"{path.as_posix()}: {error}",
    )
