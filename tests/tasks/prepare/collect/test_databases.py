"""Protects databases as sources: the query goes as it is written, no password is told, nothing is changed."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.databases import read_sql
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import SqlSource


@pytest.fixture
def database(tmp_path: Path) -> Mapping[str, str]:
    """An environment that names a database of tickets."""
    path = tmp_path / "tickets.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE tickets (id INTEGER, question TEXT, answer, day DATE)")
    rows = [
        (1, "Why at 12:30?", "Because.", "2026-03-01"),
        (2, "100 %?", 4.5, None),
        (3, "Blob?", b"\xff", None),
    ]
    connection.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return {"TICKETS": f"sqlite:///{path}"}


def read(environment: Mapping[str, str], query: str) -> Collected:
    return in_memory(
        read_sql(SqlSource(kind="sql", name="tickets", url_env="TICKETS", query=query), environment)
    )


def test_what_the_query_finds_are_rows(database: Mapping[str, str]) -> None:
    query = "SELECT id, question, answer FROM tickets WHERE question LIKE '%:30%' OR id > 1 ORDER BY id"
    found = read(database, query)
    assert [(row.id, row.prompt[0].content, row.answer) for row in found.rows.examples] == [
        ("sql:tickets:1", "Why at 12:30?", "Because."),
        ("sql:tickets:2", "100 %?", "4.5"),
    ]
    assert [(row.source, row.reason, row.detail) for row in found.dropped] == [
        ("sql:tickets", "not_utf8", "line 3: answer holds bytes that are no text")
    ]
    assert (found.figures["query"], len(found.figures["sha256"])) == (query, 64)
    assert read(database, query).figures == found.figures


def test_nothing_is_changed_there(database: Mapping[str, str]) -> None:
    with pytest.raises(SourceError, match="does not return rows"):
        read(database, "DELETE FROM tickets")
    assert len(read(database, "DELETE FROM tickets RETURNING question, 'So.' AS answer").rows.examples) == 3
    path = database["TICKETS"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM tickets").fetchone() == (3,)
    connection.close()


@pytest.mark.parametrize(
    ("environment", "query", "message"),
    [
        ({}, "SELECT 1", "the environment variable TICKETS is not set; it should hold the address"),
        (None, "SELECT * FROM gone", "cannot be asked: no such table: gone; correct the query"),
        (None, "SELECT question, answer FROM tickets WHERE id > 9", "sql:tickets holds no rows"),
        (None, "SELECT question, question FROM tickets", "two columns are called 'question'"),
        ({"TICKETS": "no address s3cret"}, "SELECT 1", "TICKETS holds no address of a database"),
        (
            {"TICKETS": "postgresql://u:p@s3cret:w@host:5432/db"},
            "SELECT 1",
            "write @ : / in its password",
        ),
        ({"TICKETS": "postgresql://u:p@s3cret@host/db"}, "SELECT 1", "write @ : / in its password"),
        ({"TICKETS": "nosuch://me:s3cret@host/x"}, "SELECT 1", "cannot be asked: .*nosuch"),
        ({"TICKETS": "sqlite:////nowhere/s3cret/x.db"}, "SELECT 1", "unable to open database file"),
    ],
)
def test_what_goes_wrong_is_told_without_the_address(
    database: Mapping[str, str], environment: Mapping[str, str] | None, query: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(database if environment is None else environment, query)
    assert "s3cret" not in str(caught.value)


def test_a_database_that_breaks_off_half_way_gives_no_rows(database: Mapping[str, str]) -> None:
    query = "SELECT question, CASE id WHEN 3 THEN json('{') ELSE 'So.' END AS answer FROM tickets ORDER BY id"
    with pytest.raises(
        SourceError, match=r"sql:tickets: the database cannot be asked(?: after row 2)?: malformed JSON"
    ):
        read(database, query)
