"""Documents as they were read before: a file that says the same is not read again."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from deploy.atomic import write_json
from deploy.documents.reading.formats import read_file
from deploy.documents.reading.reading import Reading
from deploy.errors import DocumentError
from deploy.files import read_json, sha256_of
from tasks.errors import SourceError
from tasks.prepare.collect.readers.whole import changed


def mark_of(path: Path) -> str:
    """What tells whether a file says the same; empty where it may not be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


class Readings:
    """Reads files, and keeps what it reads in `folder` (None: nowhere); `count` says how many it has read."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.count = 0

    def read(self, path: Path, mark: str) -> Reading | DocumentError:
        """The document in a file that has this mark, or why there is none.

        Raises:
            SourceError: the file has changed since it was marked.
        """
        kept = self._kept(path, mark)
        if kept and kept.is_file():
            try:
                return read_json(kept, Reading, error=SourceError, advice="")
            except SourceError:
                pass  # it is damaged, and the file is not
        self.count += 1
        try:
            read = read_file(path)
        except DocumentError as error:
            return error
        if mark_of(path) != mark:
            raise changed(path)
        if kept:
            write_json(kept, asdict(read))
        return read

    def keep(self, marks: Mapping[Path, str]) -> None:
        """Remove what was read of other files than these."""
        if self._folder and self._folder.is_dir():
            wanted = {self._kept(path, mark) for path, mark in marks.items()}
            for path in {path for path in self._folder.rglob("*") if path.is_file()} - wanted:
                path.unlink(missing_ok=True)  # where two projects share the cache, the other may be faster

    def _kept(self, path: Path, mark: str) -> Path | None:
        # The ending says how it is read; some thousand files in one folder would be slow to write one by one.
        name = f"{mark}{path.suffix.lower()}.json"
        return self._folder / mark[:2] / name if self._folder and mark else None
