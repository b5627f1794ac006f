"""Which rows the stages have kept, and which went no further, as far as the stages have run."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.errors import SourceError
from tasks.rows.learned import learned_in
from tasks.rows.records import Dropped, Learned, Row, RowKind, Rows
from tasks.rows.tables import FILES, KIND_OF, KINDS, read_arrow, read_table, rows_in, shard_sizes

SPLITS = ("train", "validation", "test")
# Where the stages keep rows, below the folder of their data, and where the rows that they let go no further.
DATA = Path("data")
RAW, CLEAN, SPLIT = Path("raw/rows"), Path("clean/rows"), Path("splits")
MODELS: Mapping[str, Path] = {name: Path("models") / name for name in ("sft", "reward", "rlhf")}
LOST: Mapping[str, Path] = {
    "collect": Path("raw/dropped.parquet"),
    "clean": Path("clean/dropped.parquet"),
    "validate": Path("clean/quarantine.parquet"),
    "split": Path("splits/unused.parquet"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """What a row is called, and where it comes from."""

    kind: RowKind
    id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The names of the rows that each stage lets pass; None where it has not run.

    They are read each time that they are gone through: of many rows they would fill the memory.
    `lost` are those that a stage lets go no further, by stage; a stage that has not run is not in it.
    `learned` says what a stage of training took from rows; one that has not run is not in it.
    """

    raw: Collection[Name] | None
    clean: Collection[Name] | None
    splits: Mapping[str, Collection[Name]] | None
    lost: Mapping[str, tuple[Dropped, ...]]
    learned: Mapping[str, tuple[Learned, ...]] = field(default_factory=dict)

    def lost_rows(self) -> Iterable[Dropped]:
        """All rows that went no further, in the order of the stages."""
        return (row for rows in self.lost.values() for row in rows)

    def ids(self) -> Iterator[tuple[RowKind, str]]:
        """The kind and the id of every row that was collected, or could not be read."""
        yield from ((row.kind, row.id) for row in self.raw or ())
        yield from ((row.kind, row.id) for row in self.lost_rows())


def read_stored(data: Path) -> Stored:
    """What the stages have kept below `data`; the texts are not read.

    Raises:
        SourceError: nothing has been collected yet, or a file is damaged.
    """
    if names_in(data / RAW) is None:
        raise SourceError(f"no rows are collected below {data} yet; collect them: threeply run --until split")
    return stored_at(
        raw=data / RAW,
        clean=data / CLEAN,
        splits=data / SPLIT,
        lost={stage: data / path for stage, path in LOST.items()},
        models={stage: data / path for stage, path in MODELS.items()},
    )


def stored_at(
    *, raw: Path, clean: Path, splits: Path, lost: Mapping[str, Path], models: Mapping[str, Path]
) -> Stored:
    """What the stages have kept in these places; `lost` are the tables of rows that went no further.

    `models` are the folders of what the stages of training have made.
    """
    placed = {name: names_in(splits / name, KINDS["example"], KINDS["preference"]) for name in SPLITS}
    whole = {name: rows for name, rows in placed.items() if rows is not None}
    return Stored(
        raw=names_in(raw),
        clean=names_in(clean),
        splits=whole if len(whole) == len(placed) else None,
        lost={stage: rows for stage, path in lost.items() if (rows := _lost(path)) is not None},
        learned={stage: lines for stage, path in models.items() if (lines := learned_in(path)) is not None},
    )


def rows_called(folder: Path, name: str) -> Rows:
    """The rows of a folder whose id is `name`, with their texts; none where the folder is not there."""
    found: list[Row] = []
    for kind in KINDS.values():
        path = folder / FILES[kind]
        # Its names first: a file without the row need not be read whole.
        if path.is_file() and any(each == name for each, _ in _columns(path, kind)):
            found += (row for row in rows_at(path) if row.id == name)
    return Rows.of(found)


def rows_at(path: Path) -> Iterator[Row]:
    """The rows of a file, of the kind that its name says; no more than a shard of them is in memory."""
    kind = kind_at(path)
    for table in read_arrow(path, KINDS[kind]):
        yield from rows_in(table, kind)


def kind_at(path: Path) -> RowKind:
    """The kind of rows that a file has by its name."""
    return next(kind for kind, record in KINDS.items() if FILES[record] == path.name)


@dataclass(frozen=True, slots=True)
class Names(Collection[Name]):
    """The names of the rows of some kinds in a folder, which are read each time that they are asked for."""

    folder: Path
    kinds: tuple[type[Row], ...]

    def __iter__(self) -> Iterator[Name]:
        for kind in self.kinds:
            for values in _columns(self.folder / FILES[kind], kind):
                yield Name(KIND_OF[kind], *values)

    def __len__(self) -> int:
        return sum(sum(shard_sizes(self.folder / FILES[kind], kind)) for kind in self.kinds)

    def __contains__(self, name: object) -> bool:
        return any(each == name for each in self)


def names_in(folder: Path, *kinds: type[Row]) -> Names | None:
    """The names of the rows in `folder`, of all kinds or of some; None where a file is not there.

    Raises:
        SourceError: a file is damaged.
    """
    found = Names(folder, kinds or tuple(KINDS.values()))
    if not all((folder / FILES[kind]).is_file() for kind in found.kinds):
        return None
    len(found)  # what is damaged is told here, and not half way through
    return found


def _columns(path: Path, kind: type[Row]) -> Iterator[tuple[str, str]]:
    """The id and the source of each row of a file: of a large one the texts stay where they are."""
    for shard in read_arrow(path, kind, columns=["id", "source"]):
        yield from zip(*(shard[name].to_pylist() for name in ("id", "source")), strict=True)


def _lost(path: Path) -> tuple[Dropped, ...] | None:
    return tuple(read_table(path, Dropped)) if path.is_file() else None
