"""What pieces of sources have given before, in files: what has not changed is not read again.

A part lies under a key that follows from all that its rows follow from: the content of its file, the settings
of its source, and the code that reads. A run that ends well lists its parts; those that no project lists any
more are removed.
"""

import contextlib
import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.atomic import remove, replacing, write_json
from deploy.files import read_json, sha256_of, text_sha256
from tasks.errors import SourceError
from tasks.prepare.collect.opinions import good_answers
from tasks.prepare.collect.pieces import Note, Piece, Tally
from tasks.prepare.collect.readers.whole import changed, whole
from tasks.prepare.collect.tagging import tagged
from tasks.rows.keys import KeyMap, as_keys, key_of
from tasks.rows.records import Dropped, Example, Preference, Row, RowKind
from tasks.rows.tables import (
    FILES,
    KINDS,
    TableWriter,
    read_arrow,
    read_shards,
    shard_sizes,
    table_writer,
    write_table,
)

if TYPE_CHECKING:
    import pyarrow as pa

DROPPED = "dropped.parquet"
_NOTE, _ROWS, _LISTS = "note.json", "rows.keys", "lists"


@dataclass(frozen=True, slots=True)
class Part:
    """What a piece has given: its rows lie in `folder`. Its documents have the `tags` of its source."""

    folder: Path
    note: Note
    tags: tuple[str, ...] = ()

    def tables(self, kind: RowKind, columns: list[str] | None = None) -> "Iterator[pa.Table]":
        """Its rows of a kind, shard by shard."""
        path = self.folder / FILES[KINDS[kind]]
        if not path.is_file():
            return iter(())
        tables = read_arrow(path, KINDS[kind], columns=columns)
        return (tagged(each, self.tags) for each in tables) if kind == "document" else tables

    def dropped(self) -> Iterator[Dropped]:
        """Its rows that could not be read."""
        path = self.folder / DROPPED
        return chain.from_iterable(read_shards(path, Dropped)) if path.is_file() else iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """What a project has used last: the parts by their keys, and the files that they are of."""

    place: str
    parts: list[str]
    files: list[str]


class Parts:
    """The parts of a run in `place`, which says what it reads anew; `version` stands for the code."""

    def __init__(self, folder: Path, place: Path, version: str) -> None:
        self._folder, self._version = folder, version
        self._list = folder / _LISTS / f"{text_sha256(str(place))[:16]}.json"
        self._place = place
        self._used: dict[str, None] = {}
        self._files: dict[str, None] = {}
        self._counts: Counter[str] = Counter()

    def shelf(self, *marks: object) -> Path:
        """A folder that stays as long as each run asks for it."""
        return self._folder / self._keyed(self._version, *marks)

    def part(self, piece: Piece) -> Part:
        """What the piece gives, read only where it has changed.

        Raises:
            SourceError: it cannot be read, or changes on the way.
        """
        state, content = _state(piece), ""
        if piece.path:
            with whole(piece.path):
                content = sha256_of(piece.path)
        folder = self._folder / self._keyed(self._version, *piece.marks, content)
        self._files |= dict.fromkeys(piece.files)
        note = None if piece.fresh else _whole_note(folder)
        if note is None or note.told.get("again"):
            note = _written(piece, folder, state)
            read = note.told.get("files_read", len(piece.files))
        else:
            read = 0
            if not piece.files:
                print(f"{piece.name}: as before")
        self._counts.update(read=read, kept=len(piece.files) - read)
        return Part(folder, note)

    def list(self) -> None:
        """Say what was read anew, and list what was used."""
        before = self._lists().pop(self._list, None)
        gone = len({*before.files} - self._files.keys()) if before else 0
        if self._files or gone:
            told = [f"{self._counts['read']:,} of {len(self._files):,} files read"]
            told += [f"{self._counts['kept']:,} as before"] if self._counts["kept"] else []
            print(f"collect: {', '.join([*told, *([f'{gone:,} gone'] if gone else [])])}")
        mine = _List(place=str(self._place), parts=[*self._used], files=[*self._files])
        write_json(self._list, asdict(mine))

    def clear(self) -> None:
        """Remove the parts that no project lists."""
        used = {part for each in self._lists().values() for part in each.parts}
        for path in self._folder.iterdir():
            if path.name not in used and path != self._list.parent:
                remove(path)

    def _lists(self) -> "dict[Path, _List]":
        """The lists of all projects that are still there."""
        found: dict[Path, _List] = {}
        for path in self._list.parent.glob("*.json"):
            try:
                found[path] = read_json(path, _List, error=SourceError, advice="")
            except SourceError:
                path.unlink()  # damaged: what it has listed is read again
                continue
            if not Path(found[path].place).is_dir():
                path.unlink()
                del found[path]
        return found

    def _keyed(self, *marks: object) -> str:
        key = text_sha256(json.dumps(marks, sort_keys=True))[:32]
        self._used[key] = None
        return key


@contextmanager
def parts_in(cache: Path, place: Path, version: str) -> Iterator[Parts]:
    """The parts below `cache`; where the block ends well, those that no project uses any more are removed.

    Projects may share the cache: while another one reads from it, nothing is removed.
    """
    folder = cache / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_SH)
        parts = Parts(folder, place, version)
        yield parts
        parts.list()
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            parts.clear()
    finally:
        os.close(opened)


def _state(piece: Piece) -> tuple[int, int] | None:
    """What tells that a file has not been written to."""
    if piece.path is None or not piece.path.exists():
        return None
    found = piece.path.stat()
    return found.st_size, found.st_mtime_ns


def _whole_note(folder: Path) -> Note | None:
    """What is noted of a part, if all of its rows are there."""
    if not (folder / _NOTE).is_file():
        return None
    try:
        note = read_json(folder / _NOTE, Note, error=SourceError, advice="")
        lost = sum(sum(reasons.values()) for reasons in note.lost.values())
        wanted: dict[type[Row | Dropped], int] = {KINDS[kind]: count for kind, count in note.rows.items()}
        wanted |= {Dropped: lost} if lost else {}
        there = all(
            sum(shard_sizes(folder / FILES.get(kind, DROPPED), kind)) == count
            for kind, count in wanted.items()
        )
    except SourceError:
        return None
    return note if there else None


def _written(piece: Piece, folder: Path, state: tuple[int, int] | None) -> Note:
    """Read a piece, whose file had this state, into `folder`; what was there is replaced once it is whole."""
    tally, rows = Tally(), bytearray()
    with replacing(folder) as partial, ExitStack() as stack:
        partial.mkdir()
        writers: dict[type[Row | Dropped], TableWriter] = {}
        for row in tally.passing(piece.rows(tally.told)):
            kind = type(row)
            if kind not in writers:
                writers[kind] = stack.enter_context(table_writer(partial / FILES.get(kind, DROPPED), kind))
            writers[kind].add(row)
            if piece.fresh:
                rows += key_of(repr(row))
        stack.close()
        pairs = partial / FILES[Preference]
        if piece.teaches and pairs.is_file():
            better = good_answers(lambda: chain.from_iterable(read_shards(pairs, Preference)))
            write_table(partial / FILES[Example], Example, tally.passing(better))  # type: ignore[type-var]
        if piece.fresh:
            (partial / _ROWS).write_bytes(rows)
            _compare(piece.name, folder / _ROWS, rows)
        if piece.path and _state(piece) != state:
            raise changed(piece.path)
        note = tally.note()
        write_json(partial / _NOTE, asdict(note))
    return note


def _compare(name: str, before: Path, rows: bytearray) -> None:
    """Say how many rows were not there before, or have gone."""
    if before.is_file():
        then, now = as_keys(before.read_bytes()), as_keys(rows)
        new, gone = int((~KeyMap(then).holds(now)).sum()), int((~KeyMap(now).holds(then)).sum())
        print(f"{name}: {new:,} rows new or changed, {gone:,} gone or changed, {len(now) - new:,} as before")
