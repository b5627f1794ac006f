"""Which rows are to be forgotten, and by which words it shows whether they are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import SourceError
from tasks.prepare.forgetting.texts import strings
from tasks.prepare.tracing.stored import CLEAN, RAW, SPLIT, SPLITS, kind_at, rows_at
from tasks.rows.identity import folded, hidden
from tasks.rows.records import Document, Dropped, Example, Preference, Row, RowKind
from tasks.rows.tables import FILES, KIND_OF, KINDS, table_writer

RowKey = tuple[RowKind, str]
FEWEST, MOST = 5, 8  # words that tell one row from others


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be forgotten: rows that hold a text, come from a source, or have one of some ids.

    What is not given (an empty text, source or list) does not matter.
    """

    text: str
    source: str
    ids: tuple[str, ...]

    def means(self, row: Row) -> bool:
        """Whether a row is one of them."""
        return (
            (not self.text or any(folded(self.text) in folded(told) for told in says(row)))
            and (not self.source or row.source == self.source)
            and (not self.ids or row.id in self.ids)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The rows to forget by kind and id, with the source and the split of each.

    They are found again by the `text` that all rows with it are named by or, where they were named otherwise,
    by `phrases` that no other row holds; both are folded.
    """

    rows: Mapping[RowKey, str]
    splits: Mapping[RowKey, str]
    text: str
    phrases: frozenset[str]

    def holds(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts has words of theirs."""
        return any(
            (self.text and self.text in told) or next(found(told, self.phrases), "")
            for told in map(folded, texts)
        )

    def means(self, row: Row) -> bool:
        """Whether a row is one of them, or says what they say."""
        return _key(row) in self.rows or self.holds(says(row))


def says(row: Row) -> Iterator[str]:
    """All that comes from people in a row: its texts, and what it is called by."""
    match row:
        case Example():
            yield from (turn.content for turn in row.messages)
            yield from (row.quote, row.id, row.group)
            yield from strings(row.metadata)
        case Preference():
            yield from (turn.content for turn in row.prompt)
            yield from (row.chosen, row.rejected, row.quote, row.id, row.group)
            yield from strings(row.metadata)
        case Document():
            yield from (row.title, row.text, row.id, row.uri)
            yield from strings(row.metadata)


def without(lost: Iterable[Dropped], selected: Selected) -> list[Dropped]:
    """Rows that went no further, without those of the selected; what is told of others names them no more."""
    left = [row for row in lost if (row.kind, row.id) not in selected.rows]
    return [replace(row, detail="erased") if selected.holds([row.detail]) else row for row in left]


def row_tables(data: Path) -> list[Path]:
    """The tables of rows that the stages keep, those that are there."""
    folders = (data / RAW, data / CLEAN, data / SPLIT, *(data / SPLIT / name for name in SPLITS))
    folders = (*folders, *(data / "samples" / name for name in SPLITS))
    paths = (folder / FILES[kind] for folder in folders for kind in KINDS.values())
    return [path for path in paths if path.is_file()]


def take_out(path: Path, selected: Selected) -> None:
    """Write a table of rows anew without the selected ones; one that has none of them stays as it is."""
    if not any(map(selected.means, rows_at(path))):
        return
    with table_writer(path, KINDS[kind_at(path)]) as writer:
        for row in rows_at(path):
            if not selected.means(row):
                writer.add(row)


def select(data: Path, wish: Wish) -> Selected:
    """The rows that are meant, in any table; a text alone may stand in files when no row holds it any more.

    Raises:
        SourceError: there are none, and no text to search for; or a table is damaged.
    """
    tables = row_tables(data)
    rows, splits = _meant(tables, wish.means)
    later = {(kind, hidden(name)) for kind, name in rows}  # what `clean` may have called them
    renamed, placed = _meant(tables, lambda row: _key(row) in later)
    rows, splits = rows | renamed, splits | placed
    if wish.text and not wish.source and not wish.ids:
        return Selected(rows=rows, splits=splits, text=folded(wish.text), phrases=frozenset())
    if not rows:
        raise SourceError("no row that the stages keep is meant; threeply rows shows which sources there are")
    return Selected(rows=rows, splits=splits, text="", phrases=_own_phrases(tables, rows))


def _meant(
    tables: Iterable[Path], means: Callable[[Row], bool]
) -> tuple[dict[RowKey, str], dict[RowKey, str]]:
    """The rows of some tables that are meant: the source and, where there is one, the split of each."""
    rows: dict[RowKey, str] = {}
    splits: dict[RowKey, str] = {}
    for path in tables:
        split = path.parent.name if path.parent.parent.name == SPLIT.name else ""
        for row in filter(means, rows_at(path)):
            rows[_key(row)] = row.source
            splits |= {_key(row): split} if split else {}
    return rows, splits


def found(told: str, phrases: Set[str]) -> Iterator[str]:
    """Those of `phrases` that a folded text holds, whole words of it."""
    words = told.split(" ") if phrases else []
    for length in range(FEWEST, MOST + 1):
        for at in range(len(words) - length + 1):
            if (phrase := " ".join(words[at : at + length])) in phrases:
                yield phrase


def _own_phrases(tables: Iterable[Path], rows: Mapping[RowKey, str]) -> frozenset[str]:
    """The phrases that stand in `rows`, and in no other."""
    phrases = set[str]()
    for path in tables:
        for row in rows_at(path):
            if _key(row) in rows:
                phrases.update(_phrases(row))
    for path in tables:
        for row in rows_at(path):
            if _key(row) not in rows:
                for told in map(folded, says(row)):
                    phrases.difference_update(list(found(told, phrases)))
    return frozenset(phrases)


def _phrases(row: Row) -> Iterator[str]:
    """Each run of words of a line, or a short line whole: wherever a passage is cut, it keeps some."""
    for text in says(row):
        for line in text.splitlines():
            words = folded(line).split(" ")
            for at in range(max(len(words) - MOST, 0) + 1):
                if len(phrase := words[at : at + MOST]) >= FEWEST:
                    yield " ".join(phrase)


def _key(row: Row) -> RowKey:
    return KIND_OF[type(row)], row.id
