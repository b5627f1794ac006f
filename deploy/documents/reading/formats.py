"""The formats that are read: by which suffix and which content type they go, and what reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from deploy.documents.reading.apart import read_apart
from deploy.documents.reading.html_files import read_html
from deploy.documents.reading.pdf_files import read_pdf
from deploy.documents.reading.reading import Reading
from deploy.documents.reading.text_files import read_markdown, read_text
from deploy.errors import DocumentError

MOST_BYTES = 256 * 2**20  # of a file that is read from a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format; what may be hostile to its reader is read `apart`, in a process of its own."""

    name: str
    suffixes: tuple[str, ...]
    types: tuple[str, ...]
    reader: Callable[..., Reading]
    apart: bool


FORMATS = (
    Format(
        name="markdown",
        suffixes=(".md", ".markdown"),
        types=("text/markdown", "text/x-markdown"),
        reader=read_markdown,
        apart=False,
    ),
    Format(name="text", suffixes=(".txt",), types=("text/plain",), reader=read_text, apart=False),
    Format(
        name="html",
        suffixes=(".html", ".htm", ".xhtml"),
        types=("text/html", "application/xhtml+xml"),
        reader=read_html,
        apart=True,
    ),
    Format(name="pdf", suffixes=(".pdf",), types=("application/pdf",), reader=read_pdf, apart=True),
)
SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)
TYPES = tuple(kind for each in FORMATS for kind in each.types)


def by_suffix(path: PurePath) -> Format | None:
    """The format of a file of this name, if it is one that is read."""
    return next((each for each in FORMATS if path.suffix.lower() in each.suffixes), None)


def by_type(kind: str) -> Format | None:
    """The format of a content type, if it is one that is read."""
    return next((each for each in FORMATS if kind in each.types), None)


def read_document(content: bytes, kind: Format, declared: str = "") -> Reading:
    """The document in `content`; `declared` is the encoding that was named beside it.

    Raises:
        DocumentError: it cannot be read, or has no text.
    """
    read = partial(read_apart, kind=kind.name) if kind.apart else kind.reader
    reading = read(content, declared=declared)
    if not reading.text.strip():
        raise DocumentError("there is no text in it", reason="no_text")
    return reading


def read_file(path: Path) -> Reading:
    """The document in a file of a known suffix.

    Raises:
        DocumentError: it cannot be read, or has no text.
    """
    kind = by_suffix(path)
    if kind is None:
        raise DocumentError(f"it is none of {', '.join(SUFFIXES)}", reason="other_format")
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise DocumentError(
                f"it has {size / 2**20:.0f} MiB, and at most {MOST_BYTES // 2**20} are read; split it",
                reason="too_large",
            )
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"it cannot be opened: {error.strerror or error}", reason="unreadable") from None
    return read_document(content, kind)
