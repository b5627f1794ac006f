"""Keeps a query that nobody has checked from doing anything but reading the tables it was given.

SQLite asks its authoriser before each action of a statement, and a progress handler counts its steps: what
is not listed here is refused, and what takes too long ends. A count of steps is the same on every machine,
so a score is, too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

STEPS = 1_000_000  # of SQLite's virtual machine, a fraction of a second
_STRIDE = 1000  # steps between two looks at the count
READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
BUILDING = READING | {
    *(sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_INSERT),
    *(sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_TRANSACTION),
}
_HARMLESS = """
abs avg cast ceil ceiling char coalesce concat concat_ws count cume_dist date datetime dense_rank first_value
floor format glob group_concat hex ifnull iif instr julianday lag last_value lead length like lower ltrim max
min mod nth_value ntile nullif percent_rank pow power printf quote rank replace round row_number rtrim sign
sqrt strftime string_agg substr substring sum time total trim trunc typeof unicode upper
"""
_FUNCTIONS = frozenset(_HARMLESS.split())
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 20_000,  # of a text, a blob or a row, in bytes
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 50_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,  # matching takes time by its square
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}


@contextmanager
def guarded(database: sqlite3.Connection, actions: frozenset[int]) -> Iterator[None]:
    """Inside the block `database` does what `actions` allow, for `STEPS` steps; else it raises.

    Raises:
        sqlite3.Error: a statement wanted more.
    """

    def authorise(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        # The one pragma that building asks: the columns of a table.
        describes = action == sqlite3.SQLITE_PRAGMA and first == "table_info" and actions == BUILDING
        if action not in actions and not describes:
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FUNCTIONS:
            return sqlite3.SQLITE_DENY
        inner = (first or "").lower().startswith(("sqlite_", "pragma_"))
        if action == sqlite3.SQLITE_READ and inner and actions == READING:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    left = STEPS // _STRIDE

    def too_long() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    for limit, value in _LIMITS.items():
        database.setlimit(limit, value)
    database.set_authorizer(authorise)
    database.set_progress_handler(too_long, _STRIDE)
    try:
        yield
    finally:
        database.set_authorizer(None)
        database.set_progress_handler(None, 0)
