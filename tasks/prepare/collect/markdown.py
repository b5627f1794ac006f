"""Source `markdown`: every .md file below a folder becomes a document."""

import re
from pathlib import Path

from deploy.files import text_sha256
from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.machine.progress import Progress
from tasks.prepare.collect.identifiers import Collected, identifier
from tasks.rows.records import Document, Dropped, Rows

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def read_markdown(folder: Path, *, watched: Path) -> Collected:
    """A document for each .md file below `folder`, titled by its first heading or else its name.

    Raises:
        SourceError: the folder is missing, or no Markdown lies below it.
    """
    say_if_unwatched(folder, watched)
    if not folder.is_dir():
        raise SourceError(
            f"{folder} is not a folder; correct the path of the source `markdown` in params.yaml"
        )
    paths = sorted(path for path in folder.rglob("*.md") if path.is_file())
    if not paths:
        raise SourceError(f"no .md file lies below {folder}; put some there, or name another folder")
    progress = Progress(len(paths), "files")
    documents: list[Document] = []
    dropped: list[Dropped] = []
    for done, path in enumerate(paths, start=1):
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as error:
            reason = "not_utf8" if isinstance(error, UnicodeDecodeError) else "unreadable"
            dropped.append(_unread(path, reason))
        else:
            documents.append(_document(path, path.relative_to(folder), text))
        progress.update(done)
    print(f"{folder}: {len(documents)} documents, {len(dropped)} files could not be read")
    return Collected(
        rows=Rows(examples=(), preferences=(), documents=tuple(documents)),
        dropped=tuple(dropped),
        figures={"path": str(folder), "files": len(paths)},
    )


def _document(path: Path, name: Path, text: str) -> Document:
    body = _FRONT_MATTER.sub("", text)
    heading = _HEADING.search(body)
    title = heading[1] if heading else name.stem
    return Document(
        id=identifier("markdown", name.as_posix(), body),
        source="markdown",
        uri=f"file:{path.as_posix()}",
        title=title,
        text=body,
        metadata={},
        sha256=text_sha256(body),
    )


def _unread(path: Path, reason: str) -> Dropped:
    return Dropped(
        id=identifier("markdown", path.as_posix()),
        kind="document",
        source="markdown",
        stage="collect",
        reason=reason,
        detail=path.as_posix(),
    )
