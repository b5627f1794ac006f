"""Protects the scoring of SQL: queries that find the same are equal, and none can do more than read."""

import sqlite3
from pathlib import Path

import pytest

from tasks.scoring.sql import same_result
from tasks.scoring.sql_guard import BUILDING, READING, guarded

SCHEMA = "CREATE TABLE parts (id INTEGER PRIMARY KEY, name TEXT, price REAL, maker TEXT);"
ROWS = (
    "INSERT INTO parts VALUES (1, 'bolt; M4', 0.5, 'ACME'), (2, 'nut', 0.25, 'X'), (3, 'gear', 9.0, 'Zed');"
)
COUNT = "SELECT count(*) FROM parts WHERE price > 3"


def told(schema: str = SCHEMA) -> str:
    return f"{schema}\n\nHow many parts cost more than 3?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT COUNT(id) FROM parts WHERE NOT price <= 3;", 1.0),
        (f"```sql\n{COUNT} -- dear ones\n```", 1.0),
        ("The query is: SELECT count(*)\nFROM parts WHERE price > 3.0", 1.0),
        ("WITH dear AS (SELECT * FROM parts WHERE price > 3) SELECT count(*) FROM dear", 1.0),
        ("SELECT count(*) FROM parts WHERE price >= 3", 0.0),
        ("SELECT count(*) FROM parts", 0.0),
        ("SELECT 1", 0.0),
        ("SELECT count(*) FROM bolts WHERE price > 3", 0.0),
        ("SELECT count(*) FROM parts WHERE price >", 0.0),
        ("I do not write queries", 0.0),
        ("", 0.0),
    ],
)
def test_queries_are_compared_by_what_they_find_in_made_up_rows(text: str, expected: float) -> None:
    assert same_result(told(), COUNT, text) == expected


def test_rows_in_the_question_are_those_that_are_asked() -> None:
    question = told(f"{SCHEMA} {ROWS}")
    assert same_result(question, COUNT, "SELECT 1") == 1.0  # of these rows both find one
    assert same_result(question, "SELECT name FROM parts WHERE id = 1", "SELECT 'bolt; M4'") == 1.0


def test_order_counts_where_it_is_asked_for_and_columns_always() -> None:
    question = told(f"{SCHEMA} {ROWS}")
    plain, ordered = "SELECT name FROM parts", "SELECT name FROM parts ORDER BY price DESC"
    assert same_result(question, plain, ordered) == 1.0
    assert same_result(question, ordered, plain) == 0.0
    assert same_result(question, f"SELECT name FROM ({ordered})", plain) == 1.0
    assert same_result(question, "SELECT id, name FROM parts", "SELECT name, id FROM parts") == 0.0


def test_where_the_good_query_never_finds_anything_the_texts_are_compared() -> None:
    good = "SELECT name FROM parts WHERE price > 3 AND price < 1"
    assert same_result(told(), good, "SELECT name FROM parts WHERE price > 9 AND price < 2") == 0.0
    assert same_result(told(), good, f"{good};") == 1.0
    assert same_result("No tables here.", COUNT, f" {COUNT}") == 1.0
    assert same_result("No tables here.", COUNT, "SELECT 2") == 0.0


HARMFUL = [
    f"{COUNT}; DROP TABLE parts",
    "DROP TABLE parts",
    "DELETE FROM parts",
    "INSERT INTO parts VALUES (9, 'x', 4, 'y')",
    "UPDATE parts SET price = 9",
    "CREATE TABLE other (x)",
    "ATTACH DATABASE 'stolen.db' AS stolen",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA writable_schema = 1",
    "SELECT * FROM pragma_table_info('parts')",
    "SELECT sql FROM sqlite_master",
    "SELECT load_extension('evil')",
    "SELECT length(randomblob(1000000000))",
    "SELECT zeroblob(1000000000)",
    "BEGIN",
]
HUGE = "SELECT printf('%1000000000d', 1)"  # SQLite gives nothing for it
ENDLESS = [
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "SELECT count(*) FROM parts a, parts b, parts c, parts d, parts e, parts f",
    "WITH RECURSIVE n(x) AS (SELECT 'xx' UNION ALL SELECT x || x FROM n) SELECT max(x) FROM n",
]


@pytest.mark.parametrize("query", [*HARMFUL, *ENDLESS, HUGE])
def test_what_is_harmful_or_endless_scores_nothing_and_leaves_nothing(
    query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert same_result(told(), COUNT, query) == 0.0
    assert same_result(told(), query, COUNT) == 0.0  # as the good answer of a row, too
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("query", HARMFUL[1:] + ENDLESS)
def test_the_guard_itself_refuses(query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = sqlite3.connect(":memory:")
    with guarded(database, BUILDING):
        database.execute(SCHEMA)
        database.executemany("INSERT INTO parts (price) VALUES (?)", [(n,) for n in range(24)])
    with pytest.raises(sqlite3.Error), guarded(database, READING):
        database.execute(query).fetchall()
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE a (x); ATTACH DATABASE 'b.db' AS b;",
        "CREATE TABLE a AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n;",
        "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5);",
        "CREATE TABLE a (x DEFAULT (load_extension('b')));",
        "CREATE TABLE a (x",
    ],
)
def test_a_question_can_do_no_harm_either(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert same_result(f"{statement} How many?", "SELECT count(*) FROM a", "SELECT 0") == 0.0
    assert not list(tmp_path.iterdir())
