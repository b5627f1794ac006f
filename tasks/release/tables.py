"""The tables that the data card and the page for people share: sources, and how groups in the data fare."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.pages.numbers import DASH, percent, spelled

UNKNOWN = "unknown"
_IS_FIGURE = re.compile(r"(?:[\d.,% ()\u2013-]|\bto\b)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose first column names its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def figures(self) -> list[bool]:
        """Of each column whether it holds figures, which stand on the right."""
        return [all(map(_IS_FIGURE.fullmatch, column)) for column in zip(*self.rows, strict=True)]


def source_table(sources: Iterable[Mapping[str, Any]]) -> Table:
    """The sources with what is known of them, as `collect` has reported them."""
    return Table(
        title="Sources",
        columns=("rows called", "kind", "origin", "licence", "languages"),
        rows=tuple(
            (
                ", ".join(told["names"]) or source.get("path", DASH),
                source["source"],
                _origin(told),
                _licences(told["licences"]),
                ", ".join(told["languages"]) or UNKNOWN,
            )
            for source in sources
            for told in [source["provenance"]]
        ),
    )


def group_tables(told: Mapping[str, Any], *, names: Mapping[str, str] | None = None) -> list[Table]:
    """The tables of one column's groups that have rows; `names` are those of the rows of the ledger."""
    arms = list(dict.fromkeys(arm for each in told["scores"] for arm in each["arms"]))
    tables = (
        Table(
            title="examples",
            columns=("group", "examples", "share", "question words", "answer words", "unanswerable"),
            rows=tuple(
                (
                    each["group"],
                    spelled(each["rows"]),
                    percent(each["share"]),
                    spelled(each["question_words"]),
                    spelled(each["answer_words"]),
                    rate(each["abstains"]),
                )
                for each in told["examples"]
            ),
        ),
        Table(
            title="preferences",
            columns=("group", "preferences", "share", "the longer answer wins"),
            rows=tuple(
                (each["group"], spelled(each["rows"]), percent(each["share"]), rate(each["longer_wins"]))
                for each in told["preferences"]
            ),
        ),
        Table(
            title="who wins",
            columns=("group", "comparisons with other groups", "wins"),
            rows=tuple((each["group"], spelled(each["rows"]), rate(each["wins"])) for each in told["wins"]),
        ),
        Table(
            title="score in the ledger",
            columns=("group", "questions", *((names or {}).get(arm, arm) for arm in arms)),
            rows=tuple(
                (each["group"], spelled(each["rows"]), *(rate(each["arms"].get(arm)) for arm in arms))
                for each in told["scores"]
            ),
        ),
    )
    return [table for table in tables if table.rows]


def rate(told: Mapping[str, float] | None) -> str:
    """A rate with its interval; a dash where there were too few rows for one."""
    return DASH if told is None else f"{told['mean']:.2f} ({told['low']:.2f} to {told['high']:.2f})"


def _origin(told: Mapping[str, Any]) -> str:
    """Where the rows come from; of a dataset of the hub at which commit, for a branch moves."""
    commit = [f"at {told['commit']}"] if "commit" in told else []
    return " ".join([told["origin"] or UNKNOWN, *commit])


def _licences(told: Mapping[str, str]) -> str:
    return "; ".join(f"{part}: {name or UNKNOWN}" if part else name for part, name in told.items()) or UNKNOWN
