"""What the page says of the data: where it comes from, how groups in it fare, how far people agree."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasks.evaluation.ledger import NAMES
from tasks.pages.numbers import percent, spelled
from tasks.release import tables
from tasks.release.tables import Table


def source_table(collected: Mapping[str, Any] | None) -> Table | None:
    """The sources with what is known of them, by the report of `collect`."""
    told = [part for part in (collected or {}).get("sources", ()) if "provenance" in part]
    return tables.source_table(told) if told else None


def group_tables(card: Mapping[str, Any] | None) -> list[Table]:
    """The tables of each column whose groups are told, by the report of `card`."""
    return [
        replace(table, title=f"{column}: {table.title}")
        for column, told in ((card or {}).get("groups") or {}).items()
        for table in tables.group_tables(told, names=NAMES)
    ]


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
        found += (
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
    return [table for table in found if table.rows]
