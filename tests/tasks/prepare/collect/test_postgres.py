"""Protects queries to a PostgreSQL that really runs: its types, endless streams, and what goes wrong."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.databases import read_sql
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import Given, in_memory
from tasks.prepare.collect_settings import SqlSource
from tests.tasks.prepare.collect.postgres import PASSWORD, Server, running

UUID = "00000000-0000-0000-0000-00000000000a"
LARGE = 2_000_000
TICKETS = f"""
    CREATE TABLE tickets (
        id UUID, messages JSONB, prompt TEXT, price NUMERIC, opened TIMESTAMPTZ, pages TEXT[], took INTERVAL,
        scan BYTEA, address INET, costs NUMERIC[]
    );
    INSERT INTO tickets VALUES (
        '{UUID}', '[{{"role": "user", "content": "Why?"}}, {{"role": "assistant", "content": "So."}}]',
        'Why?', 12.50, '2026-03-01 10:00+02', '{{a,b}}', '1 day 2 hours', 'caf\\303\\251', '10.0.0.1',
        '{{1.5,2}}'
    );
    INSERT INTO tickets (prompt, price) VALUES (repeat('é', {LARGE}), 'Infinity');
    INSERT INTO tickets (prompt, scan, price) VALUES ('Scan?', '\\377', 'NaN');
"""
# Ten thousand million rows: who asks for all of them at once is stopped by the server.
ENDLESS = """
    SELECT 'Why ' || a || b || '?' AS prompt, 'So.' AS completion
    FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        ask(started, TICKETS)
        yield started


def ask(server: Server, query: str) -> list[tuple[Any, ...]]:
    """Ask the server by the driver itself."""
    import psycopg

    with psycopg.connect(server.address().replace("+psycopg", ""), autocommit=True) as connection:
        asked = connection.execute(query)
        return asked.fetchall() if asked.description else []


def given(address: str, query: str, **more: Any) -> Given:
    source = SqlSource(kind="sql", name="tickets", url_env="TICKETS", query=query, **more)
    return read_sql(source, {"TICKETS": address})


def read(server: Server, query: str, **more: Any) -> Collected:
    return in_memory(given(server.address(), query, **more))


def test_its_types_are_read(server: Server) -> None:
    kept = ("opened", "took", "address", "scan")
    columns = f"id, messages, pages AS evidence, {', '.join(kept)}"
    (row,) = read(
        server, f"SELECT {columns} FROM tickets WHERE id IS NOT NULL", keep=list(kept)
    ).rows.examples
    assert (row.id, row.evidence) == (f"sql:tickets:{UUID}", ("a", "b"))
    assert [turn.content for turn in row.messages] == ["Why?", "So."]
    assert dict(row.metadata) == {
        "opened": "2026-03-01T08:00:00+00:00",
        "took": "1 day, 2:00:00",
        "address": "10.0.0.1",
        "scan": "café",
    }


def test_numbers_are_read_as_they_are_meant_also_those_that_are_none(server: Server) -> None:
    query = "SELECT left(prompt, 9) AS prompt, price AS completion, scan FROM tickets ORDER BY price"
    found = read(server, query)
    assert [row.answer for row in found.rows.examples] == ["12.5", "inf"]
    assert [(row.reason, row.detail) for row in found.dropped] == [
        ("not_utf8", "line 3: scan holds bytes that are no text")
    ]
    (row,) = read(
        server, "SELECT 'Costs?' AS prompt, costs[1] AS completion FROM tickets LIMIT 1"
    ).rows.examples
    assert row.answer == "1.5"


def test_nothing_is_empty_and_long_texts_are_whole(server: Server) -> None:
    (row,) = read(
        server, "SELECT prompt, address AS completion FROM tickets WHERE price = 'Infinity'"
    ).rows.examples
    assert (len(row.prompt[0].content), row.answer) == (LARGE, "")


def test_rows_come_as_a_stream(server: Server) -> None:
    address = server.address() + "?options=-cstatement_timeout%3D5000"
    rows = iter(given(address, ENDLESS).pieces[0].rows({}))
    assert len(list(islice(rows, 3000))) == 3000
    asked = ask(server, "SELECT query FROM pg_stat_activity WHERE state = 'idle in transaction'")
    assert [query.partition(" FROM")[0] for (query,) in asked] == ["FETCH FORWARD 1000"]


def test_a_connection_that_is_lost_half_way_stops_the_source(server: Server) -> None:
    rows = iter(given(server.address(), ENDLESS).pieces[0].rows({}))
    next(rows)
    ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'FETCH FORWARD%'")
    with pytest.raises(SourceError, match=r"cannot be asked after row \d+: terminating connection"):
        list(islice(rows, 3000))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM gone", 'relation "gone" does not exist; correct the query'),
        ("SELECT prompt FROM tickets WHERE false", "sql:tickets holds no rows"),
        ("DELETE FROM tickets RETURNING prompt", 'syntax error at or near "DELETE"'),
        ("WITH gone AS (DELETE FROM tickets RETURNING *) SELECT * FROM gone", "data-modifying statements"),
        ("SELECT 1 / (n - 3) AS prompt FROM generate_series(1, 5) AS n", "division by zero"),
        ("SELECT 'infinity'::timestamptz AS prompt", "timestamp too large"),
    ],
)
def test_what_is_wrong_with_a_query_is_told(server: Server, query: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(server, query)
    assert PASSWORD not in str(caught.value)
    assert ask(server, "SELECT count(*) FROM tickets") == [(3,)]


@pytest.mark.parametrize(
    "how", ["{wrong}@127.0.0.1:{port}/postgres", "@127.0.0.1:{port}/postgres?password={wrong}"]
)
def test_a_wrong_password_is_told_and_not_shown(server: Server, how: str) -> None:
    wrong = "wr0ng-s3cret"
    colon = ":" if how.startswith("{") else ""
    address = f"postgresql+psycopg://desk{colon}{how.format(wrong=wrong, port=server.port)}"
    with pytest.raises(
        SourceError, match=r'password authentication failed for user "desk"; .*TICKETS'
    ) as caught:
        given(address, "SELECT 1 AS prompt")
    assert wrong not in str(caught.value)


def test_a_server_that_is_gone_is_told(server: Server) -> None:
    with running() as other:
        address = other.address()
    with pytest.raises(SourceError, match=r"Connection refused; .*or see that it runs") as caught:
        given(address, "SELECT 1 AS prompt")
    assert PASSWORD not in str(caught.value)
