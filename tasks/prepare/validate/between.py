"""What the rows of one table say of those of another: a value for each row, in its place, in arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.prepare.validate.tables import Tables
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.keys import KeyMap, as_keys, codes, joined, key_of, text_keys
from tasks.rows.places import starts
from tasks.rows.records import ASKED, Example, Preference, Row, RowKind
from tasks.rows.tables import KINDS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from tasks.rows.keys import Keys

    Column = NDArray[Any]


def between(tables: Tables) -> "dict[RowKind, dict[str, Column]]":
    """For each kind the columns that follow from several rows.

    `id` is a number that rows with the same id share, `id_apart` whether no row of another kind has it,
    `group_share` which share of the examples is in the row's group. `evidence_known` and `withheld_known`
    say whether the documents are there, and `quote_stands` whether a document of the evidence has the quote.
    """
    import numpy as np

    keys = {kind: _keys(tables, kind, "id") for kind in KINDS}
    every, times = np.unique(np.concatenate([np.unique(each) for each in keys.values()]), return_counts=True)
    shared = KeyMap(every[times > 1])
    found = {kind: {"id": codes(each), "id_apart": ~shared.holds(each)} for kind, each in keys.items()}
    documents = Documents(keys["document"])
    for kind in ASKED:
        found[kind] |= _named(tables, kind, documents)
    groups = codes(_keys(tables, "example", "group"))
    found["example"]["group_share"] = (
        np.bincount(groups)[groups] / len(groups) if len(groups) else np.empty(0)
    )
    return found


class Documents:
    """Finds the places of documents by their ids; of two with one id the last counts."""

    def __init__(self, keys: "Keys") -> None:
        self._count, self._map = len(keys), KeyMap(keys[::-1])

    def places(self, ids: Sequence[str]) -> "Column":
        """For each id the place of its document; -1 where there is none."""
        import numpy as np

        found = self._map.places(text_keys(ids))
        return np.where(found < 0, -1, self._count - 1 - found)


def _keys(tables: Tables, kind: RowKind, column: str) -> "Keys":
    return joined(text_keys(table[column].to_pylist()) for table in tables.arrow(kind, [column]))


def _named(tables: Tables, kind: RowKind, documents: Documents) -> "dict[str, Column]":
    """What rows of a kind say of documents."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    known: dict[str, list[Column]] = {name: [np.empty(0, dtype=bool)] for name in ("evidence", "withheld")}
    quoted: list[Column] = [np.empty(0, dtype=bool)]
    rows: list[Column] = [np.empty(0, dtype=np.int64)]
    places: list[Column] = [np.empty(0, dtype=np.int64)]
    quotes = [pa.chunked_array([[]], pa.string())]
    start = 0
    for table in tables.arrow(kind, ["evidence", "withheld", "quote"]):
        for name, columns in known.items():
            row_of, at = _documents_of(table[name], documents)
            there = np.ones(len(table), dtype=bool)
            there[row_of[at < 0]] = False
            columns.append(there)
            if name == "evidence":
                has = pc.not_equal(table["quote"], "").to_numpy()
                wanted = has[row_of] & (at >= 0)
                quoted.append(has)
                quotes.append(table["quote"].take(row_of[wanted]))
                rows.append(row_of[wanted] + start)
                places.append(at[wanted])
        start += len(table)
    stands = ~np.concatenate(quoted)
    whole = pa.chunked_array([chunk for each in quotes for chunk in each.chunks], pa.string())
    _find(tables, whole.combine_chunks(), np.concatenate(rows), np.concatenate(places), stands)
    return {
        **{f"{name}_known": np.concatenate(columns) for name, columns in known.items()},
        "quote_stands": stands,
    }


def _documents_of(column: "pa.ChunkedArray", documents: Documents) -> "tuple[Column, Column]":
    """For each document that is named the row that names it, and its place."""
    import numpy as np
    import pyarrow.compute as pc

    lists = column.combine_chunks()
    row_of = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    return row_of, documents.places(lists.flatten().to_pylist())


def _find(
    tables: Tables, quotes: "pa.StringArray", rows: "Column", places: "Column", stands: "Column"
) -> None:
    """Say in `stands` of each row whether its quote is in one of its documents, which are read once."""
    import numpy as np

    order = np.argsort(places, kind="stable")
    begin = starts(tables.sizes("document"))
    bounds = np.searchsorted(places[order], begin)
    numbers = np.flatnonzero(np.diff(bounds)).tolist()
    for number, table in zip(numbers, tables.arrow("document", ["title", "text"], numbers), strict=True):
        mine = order[bounds[number] : bounds[number + 1]]
        read, title, text = -1, "", ""
        for row, place, quote in zip(
            rows[mine].tolist(),
            (places[mine] - begin[number]).tolist(),
            quotes.take(mine).to_pylist(),
            strict=True,
        ):
            if stands[row]:
                continue
            if place != read:
                read, title, text = place, table["title"][place].as_py(), table["text"][place].as_py()
            stands[row] = quote in text or quote in title


@dataclass(frozen=True, slots=True)
class Answers:
    """Which answers are given to which prompts, as hashes: a key for each prompt with its answer."""

    near: "Keys"
    given: "Keys"


def judged_answers(rows: Sequence[Row]) -> Answers:
    """The rejected answers of preferences; `near` are hashes of the words that they ask last."""
    asked = [row for row in rows if isinstance(row, Preference)]
    near = text_keys(_last(row) for row in asked)
    return Answers(near, as_keys(b"".join(_answer(row, row.rejected) for row in asked)))


def good_answers(rows: Sequence[Row], near: KeyMap) -> "Keys":
    """The answers of those examples that ask what a preference may ask; the others' keys cost too much."""
    asked = [row for row in rows if isinstance(row, Example) and row.prompt]
    which = near.holds(text_keys(_last(row) for row in asked)).tolist()
    found = (_answer(row, row.answer) for row, close in zip(asked, which, strict=True) if close)
    return as_keys(b"".join(found))


def _answer(row: Example | Preference, answer: str) -> bytes:
    """What two rows share that ask the same and answer the same, as `clean` has it for contradictions.

    Where a document is withheld another answer is right, and a test set of the user's own is right anyway.
    """
    return key_of(own_name(row), prompt_key(row.prompt), sorted({*row.withheld}), _words(answer))


def _last(row: Example | Preference) -> str:
    return _words(row.prompt[-1].content.casefold()) if row.prompt else ""


def _words(text: str) -> str:
    return " ".join(text.split())
