"""What the page says of the data: where it comes from, how groups in it fare, how far people agree."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.evaluation.ledger import NAMES
from tasks.pages.numbers import DASH, percent, spelled

UNKNOWN = "unknown"
_IS_FIGURE = re.compile(r"[\d.,% ()\u2013-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the page; the first column names its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def figures(self) -> list[bool]:
        """Of each column whether it holds figures, which stand on the right."""
        return [all(map(_IS_FIGURE.fullmatch, column)) for column in zip(*self.rows, strict=True)]


def source_table(collected: Mapping[str, Any] | None) -> Table | None:
    """The sources with what is known of them, by the report of `collect`."""
    told = [part for part in (collected or {}).get("sources", ()) if "provenance" in part]
    if not told:
        return None
    return Table(
        title="Sources",
        columns=("rows called", "kind", "origin", "licence", "languages"),
        rows=tuple(
            (
                ", ".join(part["provenance"]["names"]) or DASH,
                part["source"],
                part["provenance"]["origin"] or UNKNOWN,
                _licences(part["provenance"]["licences"]),
                ", ".join(part["provenance"]["languages"]) or UNKNOWN,
            )
            for part in told
        ),
    )


def group_tables(card: Mapping[str, Any] | None) -> list[Table]:
    """The tables of each column whose groups are told, by the report of `card`."""
    found: list[Table] = []
    for column, told in ((card or {}).get("groups") or {}).items():
        arms = list(dict.fromkeys(arm for each in told["scores"] for arm in each["arms"]))
        found += _filled(
            Table(
                title=f"{column}: examples",
                columns=("group", "rows", "share", "question words", "answer words", "unanswerable"),
                rows=tuple(
                    (
                        each["group"],
                        spelled(each["rows"]),
                        percent(each["share"]),
                        spelled(each["question_words"]),
                        spelled(each["answer_words"]),
                        _rate(each["abstains"]),
                    )
                    for each in told["examples"]
                ),
            ),
            Table(
                title=f"{column}: preferences",
                columns=("group", "rows", "share", "the longer answer wins"),
                rows=tuple(
                    (each["group"], spelled(each["rows"]), percent(each["share"]), _rate(each["longer_wins"]))
                    for each in told["preferences"]
                ),
            ),
            Table(
                title=f"{column}: who wins",
                columns=("group", "comparisons with other groups", "wins"),
                rows=tuple(
                    (each["group"], spelled(each["rows"]), _rate(each["wins"])) for each in told["wins"]
                ),
            ),
            Table(
                title=f"{column}: score in the ledger",
                columns=("group", "questions", *(NAMES.get(arm, arm) for arm in arms)),
                rows=tuple(
                    (each["group"], spelled(each["rows"]), *(_rate(each["arms"].get(arm)) for arm in arms))
                    for each in told["scores"]
                ),
            ),
        )
    return found


def agreement_tables(card: Mapping[str, Any] | None) -> list[Table]:
    """How far people agree in each source, and how each of them agrees with the others."""
    found: list[Table] = []
    for each in (card or {}).get("agreement") or ():
        whole = (
            spelled(each["people"]),
            spelled(each["judged"]),
            spelled(each["judged_by_several"]),
            percent(each["agreement"]),
            spelled(each["alpha"]),
        )
        title = f"{each['source']}, {each['kind']}s"
        found += _filled(
            Table(
                title=f"Agreement: {title}",
                columns=("people", "judged", "by several", "agree", "Krippendorff's alpha"),
                rows=(whole,),
            ),
            Table(
                title=f"Each person: {title}",
                columns=("person", "compared", "agrees with others"),
                rows=tuple(
                    (person, spelled(told["compared"]), percent(told["agreement"]))
                    for person, told in each["by_person"].items()
                ),
            ),
            Table(
                title=f"Two people: {title}",
                columns=("people", "both judged", "Cohen's kappa"),
                rows=tuple(
                    (" and ".join(told["people"]), spelled(told["judged"]), spelled(told["kappa"]))
                    for told in each["kappas"]
                ),
            ),
        )
    return found


def _filled(*tables: Table) -> Iterable[Table]:
    return [table for table in tables if table.rows]


def _licences(told: Mapping[str, str]) -> str:
    return "; ".join(f"{part}: {name or UNKNOWN}" if part else name for part, name in told.items()) or UNKNOWN


def _rate(told: Mapping[str, float] | None) -> str:
    return DASH if told is None else f"{told['mean']:.2f} ({told['low']:.2f}\u2013{told['high']:.2f})"
