"""Source `queries`: questions over made-up tables, with the SQL that answers them.

A question describes its table by its CREATE TABLE statement, as a real one would. Questions of one kind over
one table are a group: a model is tested on pairs of them that it has not been trained on.
"""

# ruff: noqa: S608  (the queries are answers to learn from; none is run here)

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tasks.prepare.collect.identifiers import Collected, identifier
from tasks.prepare.collect_settings import QueriesSource
from tasks.rows.records import Example, Rows

# What a table may be about: its rows, columns of text with their values, columns of numbers.
THEMES: Mapping[str, tuple[Mapping[str, Sequence[str]], Sequence[str]]] = {
    "orders": (
        {"status": ("open", "paid", "sent"), "country": ("Chile", "Kenya", "Norway")},
        ("total", "items"),
    ),
    "books": (
        {"genre": ("crime", "poetry", "travel"), "language": ("Greek", "Hindi")},
        ("pages", "year", "price"),
    ),
    "employees": ({"team": ("sales", "support", "legal"), "city": ("Lima", "Oslo")}, ("salary", "age")),
    "flights": (
        {"airline": ("Alba", "Nord"), "origin": ("Quito", "Rome", "Seoul")},
        ("delay", "distance", "seats"),
    ),
    "films": ({"studio": ("Aurora", "Pine"), "rating": ("adult", "family")}, ("minutes", "budget", "year")),
    "plants": ({"family": ("mint", "rose"), "light": ("full", "half", "shade")}, ("height", "price")),
    "patients": ({"ward": ("east", "west"), "doctor": ("Adeyemi", "Berg", "Cruz")}, ("age", "weight")),
    "houses": ({"town": ("Bath", "Derby", "York"), "heating": ("gas", "wood")}, ("rooms", "price", "area")),
    "matches": ({"league": ("north", "south"), "winner": ("away", "draw", "home")}, ("goals", "spectators")),
    "tickets": ({"priority": ("high", "low", "normal"), "product": ("app", "site")}, ("hours", "replies")),
    "wines": (
        {"colour": ("red", "rose", "white"), "region": ("Douro", "Mosel")},
        ("year", "price", "points"),
    ),
    "cars": ({"maker": ("Fiat", "Kia", "Saab"), "fuel": ("diesel", "petrol")}, ("doors", "mileage", "price")),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A made-up table; `texts` maps columns to values that stand in them."""

    name: str
    texts: Mapping[str, Sequence[str]]
    numbers: Sequence[str]

    @property
    def statement(self) -> str:
        """What creates it."""
        columns = ["id INTEGER PRIMARY KEY"]
        columns += [f"{name} TEXT" for name in self.texts] + [f"{name} INTEGER" for name in self.numbers]
        return f"CREATE TABLE {self.name} ({', '.join(columns)});"


def read_queries(settings: QueriesSource, *, seed: int) -> Collected:
    """`max_rows` examples of the task `sql`, or as many as there are different ones."""
    drawn = random.Random(seed)
    found: dict[str, Example] = {}
    for _ in range(4 * settings.max_rows):
        if len(found) == settings.max_rows:
            break
        name = drawn.choice(sorted(THEMES))
        texts, numbers = THEMES[name]
        table, kind = Table(name, texts, numbers), drawn.choice(sorted(KINDS))
        question, query = KINDS[kind](table, drawn)
        asked = f"{table.statement}\n{question}"
        row = Example.plain(
            identifier("queries", asked, query),
            asked,
            query,
            source="queries",
            task="sql",
            group=f"{kind} {name}",
        )
        found[row.id] = row
    print(f"queries: {len(found)} questions over {len(THEMES)} tables")
    return Collected(
        rows=Rows(examples=tuple(found.values()), preferences=(), documents=()),
        figures={"tables": len(THEMES), "rows": len(found)},
    )


def _count(table: Table, drawn: random.Random) -> tuple[str, str]:
    column, value = _text(table, drawn)
    return (
        f"How many {table.name} have {column} {value}?",
        f"SELECT count(*) FROM {table.name} WHERE {column} = '{value}'",
    )


def _above(table: Table, drawn: random.Random) -> tuple[str, str]:
    number, bound = drawn.choice(table.numbers), drawn.randrange(2, 99)
    word, sign = drawn.choice([("more", ">"), ("less", "<")])
    return (
        f"Which {table.name} have {number} {word} than {bound}? Give their id.",
        f"SELECT id FROM {table.name} WHERE {number} {sign} {bound}",
    )


def _extreme(table: Table, drawn: random.Random) -> tuple[str, str]:
    number, (column, value) = drawn.choice(table.numbers), _text(table, drawn)
    word, function = drawn.choice(
        [("highest", "max"), ("lowest", "min"), ("average", "avg"), ("total", "sum")]
    )
    return (
        f"What is the {word} {number} of {table.name} with {column} {value}?",
        f"SELECT {function}({number}) FROM {table.name} WHERE {column} = '{value}'",
    )


def _grouped(table: Table, drawn: random.Random) -> tuple[str, str]:
    column, number = drawn.choice(sorted(table.texts)), drawn.choice(table.numbers)
    word, function = drawn.choice([("highest", "max"), ("lowest", "min"), ("average", "avg")])
    return (
        f"What is the {word} {number} of {table.name} for each {column}?",
        f"SELECT {column}, {function}({number}) FROM {table.name} GROUP BY {column}",
    )


def _sorted(table: Table, drawn: random.Random) -> tuple[str, str]:
    number, (column, value) = drawn.choice(table.numbers), _text(table, drawn)
    return (
        f"List the {number} of all {table.name} with {column} {value}, the highest first.",
        f"SELECT {number} FROM {table.name} WHERE {column} = '{value}' ORDER BY {number} DESC",
    )


KINDS: Mapping[str, Callable[[Table, random.Random], tuple[str, str]]] = {
    "count": _count,
    "above": _above,
    "extreme": _extreme,
    "grouped": _grouped,
    "sorted": _sorted,
}


def _text(table: Table, drawn: random.Random) -> tuple[str, str]:
    column = drawn.choice(sorted(table.texts))
    return column, drawn.choice(table.texts[column])
