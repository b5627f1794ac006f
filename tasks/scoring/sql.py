"""SQL, compared by what it finds: both queries run over the tables that the question describes.

The tables are made in memory from the CREATE TABLE and INSERT statements in the question. Where it gives no
rows, made-up ones stand in, several times over, with the values that the good query speaks of among them:
two queries that agree on all of them rarely mean different things (Zhong, Yu and Klein 2020,
arXiv:2010.02840).
"""

import random
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing

from tasks.scoring.forms import fenced
from tasks.scoring.sql_guard import BUILDING, READING, guarded

Table = list[tuple[object, ...]]

FILLINGS = 4  # how many times tables without rows are filled
ROWS = 24  # rows of each
MAX_ROWS = 2000  # of a result; a longer one counts as a failure
_STATEMENT = re.compile(r"\b(?:CREATE\s+TABLE|INSERT\s+INTO)\b", re.IGNORECASE)
_QUERY = re.compile(r"\b(?:SELECT|WITH)\b.*", re.IGNORECASE | re.DOTALL)
_INNER = re.compile(r"\([^()]*\)")
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(\d+(?:\.\d+)?)")


def same_result(question: str, gold: str, text: str) -> float:
    """1 if the query in `text` finds what the query `gold` finds, else 0.

    Rows count in their order where `gold` sorts them last of all, else in any. A query that changes
    something, reads more than the tables, or takes too long finds nothing. Where the good query finds nothing
    either, whatever the rows, the two are compared as text.
    """
    good, asked = _query(gold), _query(text)
    if good.split() == asked.split():
        return 1.0
    sorts = _sorts(good)
    telling = False
    for filling in range(FILLINGS):
        wanted = _run(question, good, good, filling)
        if wanted is None:
            return 0.0
        found = _run(question, good, asked, filling)
        if found is None or not _equal(found, wanted, ordered=sorts):
            return 0.0
        telling = telling or any(value not in (None, 0) for row in wanted for value in row)
    return float(telling)


def _query(text: str) -> str:
    """The query in an answer: in its fenced block, or from SELECT or WITH on."""
    source = fenced(text)
    found = _QUERY.search(source)
    return (found.group() if found else source).rstrip("; \n")


def _sorts(query: str) -> bool:
    """Whether a query sorts its result, and not only some part of it in brackets."""
    outer, inner = _LITERAL.sub("0", query), ""
    while outer != inner:
        outer, inner = _INNER.sub(" ", outer), outer
    return _ORDERED.search(outer) is not None


def _run(question: str, good: str, query: str, filling: int) -> Table | None:
    """What the query finds, or None if it does not run."""
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            with guarded(database, BUILDING):
                for statement in _statements(question):
                    database.execute(statement)
                _fill(database, good, filling)
            with guarded(database, READING):
                found = database.execute(query).fetchmany(MAX_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError):
            return None
    return found if len(found) <= MAX_ROWS else None


def _statements(question: str) -> list[str]:
    """The CREATE TABLE and INSERT statements in a text, each up to the semicolon that ends it."""
    found: list[str] = []
    end = 0
    for match in _STATEMENT.finditer(question):
        if match.start() < end:
            continue  # inside a text that the statement before inserts
        end = match.start()
        while (end := question.find(";", end) + 1) and not sqlite3.complete_statement(
            question[match.start() : end]
        ):
            pass
        end = end or len(question)
        found.append(question[match.start() : end])
    return found


def _fill(database: sqlite3.Connection, good: str, filling: int) -> None:
    """Put rows into tables that have none: values of the good query, their neighbours, and others."""
    drawn = random.Random(filling)
    texts = [text.replace("''", "'") for text, _ in _LITERAL.findall(good) if text] + ["x", "y"]
    numbers = [
        float(number) if "." in number else int(number) for _, number in _LITERAL.findall(good) if number
    ]
    numbers += [number + step for number in numbers for step in (-1, 1)] + drawn.sample(range(1, 100), 6)
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        quoted = '"' + table.replace('"', '""') + '"'
        if database.execute(f"SELECT 1 FROM {quoted} LIMIT 1").fetchone():  # noqa: S608  (quoted)
            continue
        kinds = _column_kinds(database, quoted)
        places = ", ".join("?" for _ in kinds)
        for key in range(1, ROWS + 1):
            row = [_value(kind, key, texts, numbers, drawn) for kind in kinds]
            database.execute(f"INSERT OR IGNORE INTO {quoted} VALUES ({places})", row)  # noqa: S608


def _column_kinds(database: sqlite3.Connection, quoted: str) -> list[str]:
    """`key`, `number` or `text` for each column, by SQLite's rules of affinity."""
    kinds: list[str] = []
    for _, _, declared, _, _, key in database.execute(f"PRAGMA table_info({quoted})"):
        numeric = re.search(r"INT|REAL|FLOA|DOUB|NUM|DEC", declared, re.IGNORECASE)
        kinds.append("key" if key and numeric else "number" if numeric else "text")
    return kinds


def _value(
    kind: str, key: int, texts: Sequence[str], numbers: Sequence[float], drawn: random.Random
) -> object:
    return key if kind == "key" else drawn.choice(numbers if kind == "number" else texts)


def _equal(found: Table, wanted: Table, *, ordered: bool) -> bool:
    """Whether two results are one, their columns in their order and fractions to nine digits."""
    one, other = ([tuple(map(_rounded, row)) for row in table] for table in (found, wanted))
    return one == other if ordered else Counter(one) == Counter(other)


def _rounded(value: object) -> object:
    return float(f"{value:.9g}") if isinstance(value, float) else value
