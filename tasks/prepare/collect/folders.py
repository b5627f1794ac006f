"""Sources `documents` and `markdown`: every file below a folder becomes a document, if its format is read."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.documents.reading.formats import SUFFIXES, read_file
from deploy.documents.reading.reading import Reading
from deploy.errors import DocumentError
from deploy.files import text_sha256
from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.machine.process import cores
from tasks.machine.progress import Progress
from tasks.prepare.collect.identifiers import Collected, identifier
from tasks.prepare.collect_settings import FolderSource
from tasks.rows.records import Document, Dropped, Rows

# What each kind of source reads.
READ = {"documents": SUFFIXES, "markdown": (".md",)}
LINK = "link to a folder"
TOLD = 20  # files that could not be read, by name


def read_folder(source: FolderSource, *, watched: Path) -> Collected:
    """A document for each file below the folder, titled as it titles itself, or else by its name.

    A file that cannot be read is dropped with its reason; files of other formats are counted.

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
    progress = Progress(len(paths), "files")
    documents: list[Document] = []
    dropped: list[Dropped] = []
    with ThreadPoolExecutor(cores()) as pool:  # each waits for a process that reads
        for done, (path, read) in enumerate(zip(paths, pool.map(_read, paths), strict=True), start=1):
            if isinstance(read, DocumentError):
                dropped.append(_unread(source.kind, path, read))
            else:
                documents.append(_document(source.kind, path, path.relative_to(folder), read))
                for note in read.notes:
                    print(f"{path}: {note}")
            progress.update(done)
    print(f"{folder}: {len(documents)} documents, {len(dropped)} files could not be read")
    if others[LINK]:
        print(
            f"{folder}: {others[LINK]} links to folders are not followed; put the files there, or name the "
            "folders that they lead to"
        )
    for row in dropped[:TOLD]:
        print(row.detail)
    if len(dropped) > TOLD:
        print(f"and {len(dropped) - TOLD} more, which data/raw/dropped.parquet lists")
    return Collected(
        rows=Rows(examples=(), preferences=(), documents=tuple(documents)),
        dropped=tuple(dropped),
        figures={"path": str(folder), "files": len(paths), "other_formats": dict(sorted(others.items()))},
    )


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


def _read(path: Path) -> Reading | DocumentError:
    try:
        return read_file(path)
    except DocumentError as error:
        return error


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
