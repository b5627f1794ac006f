"""Source `sql`: the rows that a query finds in a database, read as a stream; nothing there is changed."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from tasks.errors import SourceError
from tasks.prepare.collect.files import Records, ahead, rows_of
from tasks.prepare.collect.pieces import Given, Note
from tasks.prepare.collect.readers import Fault, Record
from tasks.prepare.collect_settings import SqlSource

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult

_AT_ONCE = 1000  # rows asked for


def read_sql(settings: SqlSource, environment: Mapping[str, str]) -> Given:
    """The rows of the query, in the order in which the database gives them. It is asked once.

    Raises:
        SourceError: the variable is not set, the database cannot be asked, or breaks off; or its rows have
            no shape that is known.
    """
    source = f"sql:{settings.name}"
    print(f"{source}: DVC does not notice when it changes; run `dvc repro --force collect` after a change")
    seen = _Checksum()
    entries = seen.passing(_records(settings, source, environment))
    first = list(ahead(entries))
    stream = Records(name=source, read=lambda: chain(first, entries))
    figures = {"name": settings.name, "query": settings.query}
    given = rows_of(source, [stream], settings, figures=figures)

    def finish(notes: Sequence[Note]) -> Mapping[str, Any]:
        return {**given.finish(notes), "sha256": seen.told()}

    return replace(given, finish=finish)


class _Checksum:
    """The checksum of records that pass: that of all of them as one JSON list."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256(b"[")
        self._between = b""

    def passing(self, entries: Iterable[Record | Fault]) -> Iterator[Record | Fault]:
        """The same entries."""
        for entry in entries:
            if isinstance(entry, Record):
                told = json.dumps(entry.values, default=str).encode("utf-8", "surrogatepass")
                self._sum.update(self._between + told)
                self._between = b", "
            yield entry

    def told(self) -> str:
        """The checksum of what has passed so far."""
        whole = self._sum.copy()
        whole.update(b"]")
        return whole.hexdigest()


def _records(settings: SqlSource, source: str, environment: Mapping[str, str]) -> Iterator[Record | Fault]:
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    address = environment.get(settings.url_env, "")
    if not address:
        raise SourceError(
            f"{source}: the environment variable {settings.url_env} is not set; it should hold the address "
            "of the database, such as postgresql://user:password@host/name"
        )
    url = _url(address)
    if url is None or "@" in (url.host or ""):  # a part of the password would stand where the host is told
        raise SourceError(
            f"{source}: {settings.url_env} holds no address of a database; write @ : / in its password as "
            "%40 %3A %2F"
        )
    number = 0
    try:
        engine = sqlalchemy.create_engine(url, poolclass=NullPool)
        with engine.connect() as connection, _asked(connection, settings.query) as result:
            names = list(result.keys())
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise SourceError(
                    f"{source}: two columns are called {twice[0]!r}, of which one would hide the other; "
                    "rename one in the query (AS)"
                )
            for row in result:
                number += 1
                yield _record(number, dict(zip(names, row, strict=True)))
    except (SQLAlchemyError, ImportError, OSError) as error:
        after = f" after row {number}" if number else ""
        raise SourceError(
            f"{source}: the database cannot be asked{after}: {_said(error, address)}; correct the query, or "
            f"the address in {settings.url_env}, or see that it runs"
        ) from None


def _asked(connection: "Connection", query: str) -> "CursorResult[Any]":
    """What the query finds, some rows at a time. Without a commit, what it changes is taken back.

    It goes to the driver as it stands: a colon or a percent sign in it is its own.
    """
    options = {"stream_results": True, "yield_per": _AT_ONCE, "no_parameters": True}
    return connection.execution_options(**options).exec_driver_sql(query)


def _url(address: str) -> "URL | None":
    """An address in its parts; None where it is none."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(address)
    except (ArgumentError, ValueError):
        return None


def _said(error: Exception, address: str) -> str:
    """The first line of what went wrong, without the address and its password."""
    told = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    url = _url(address)
    if url is None:
        return "this is no address of a database"
    for secret in (address, url.password, url.query.get("password")):
        told = told.replace(str(secret), "***") if secret else told
    return told


def _record(number: int, row: Mapping[str, Any]) -> Record | Fault:
    values: dict[str, Any] = {}
    for name, value in row.items():
        try:
            values[name] = _plain(value)
        except UnicodeDecodeError:
            return Fault(number, "not_utf8", f"{name} holds bytes that are no text")
    return Record(number, values)


def _plain(value: Any) -> Any:
    """A value as JSON could hold it; of a type that a database alone has (an interval, a UUID) its text."""
    plain = value
    match value:
        case None | str() | int() | float():
            pass
        case Decimal():
            whole = value.is_finite() and value == value.to_integral_value()
            plain = int(value) if whole else float(value)
        case date() | time():
            plain = value.isoformat()
        case bytes() | memoryview():
            plain = bytes(value).decode()
        case list():
            plain = [_plain(each) for each in value]
        case dict():
            plain = {name: _plain(each) for name, each in value.items()}
        case _:
            plain = str(value)
    return plain
