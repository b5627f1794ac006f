"""Protects the report of the split: how rows are spread is told, and what a split lacks is not overlooked."""

from collections.abc import Mapping
from dataclasses import replace

from tasks.prepare.split.sides import SplitName
from tasks.prepare.split.strata import lacking, shortened, strata
from tasks.prepare.split.tallies import Tally
from tasks.rows.arrow import arrow_of
from tasks.rows.records import Example, Preference, Rows
from tests.conftest import small_settings
from tests.tasks.rows.made import pair, question, rows

SETTINGS = small_settings().split
TICKETS = [
    question(f"{label} {n}", f"Ticket {label} {n}", label, task="ticket", source="sources/tickets.csv")
    for n in range(6)
    for label in ("bug", "wish")
]
TALK = [question(f"t{n}", f"Talk {n}?", f"Answer {n}.", task="chat") for n in range(9)]
GENERAL = question("g", "Anything?", task="general")


def parts(train: Rows, validation: Rows, test: Rows) -> Mapping[SplitName, Tally]:
    return {"train": tally(train), "validation": tally(validation), "test": tally(test)}


def tally(found: Rows) -> Tally:
    """What is counted of the rows of a split, which come in tables of three."""
    counts = Tally()
    for kind, part in ((Example, found.examples), (Preference, found.preferences)):
        tables = (arrow_of(kind, part[at : at + 3]) for at in range(0, len(part), 3))  # type: ignore[type-var]
        assert sum(table.num_rows for table in counts.counting(kind, tables)) == len(part)
    return counts


def test_shares_are_of_each_split() -> None:
    judged = [pair("a"), replace(pair("b"), label="human")]
    found = strata(parts(rows(*TICKETS, *TALK[:4], pairs=judged), rows(TALK[4]), rows(*TALK[5:])))
    assert found["tasks"]["ticket"] == {"train": 0.75, "validation": 0.0, "test": 0.0}
    assert found["sources"]["sources/tickets.csv"]["train"] == 0.75
    assert found["judged_by"] == {
        "human": {"train": 0.5, "validation": 0.0, "test": 0.0},
        "synthetic": {"train": 0.5, "validation": 0.0, "test": 0.0},
    }
    assert found["labels"] == {  # of the talk each answer stands there once
        f"ticket: {label}": {"train": 0.5, "validation": 0.0, "test": 0.0} for label in ("bug", "wish")
    }


def test_a_split_without_a_task_or_a_label_is_told() -> None:
    bug = TICKETS[-2]
    found = lacking(parts(rows(*TICKETS[:10], GENERAL), rows(TALK[0]), rows(*TALK[1:], bug)), SETTINGS)
    assert found == [
        "train: no example of the task 'chat' (1 in validation, 8 in test)",
        "validation: no example of the task 'ticket' (10 in train, 1 in test)",
        "validation: no example of the label 'ticket: bug' (5 in train, 1 in test)",
        "validation and test: no example of the label 'ticket: wish' (5 in train)",
    ]


def test_only_the_first_sentences_are_printed() -> None:
    assert shortened(list("abcde")) == list("abcde")
    assert shortened(list("abcdefgh")) == [*"abcde", "and 3 more like these, in data/reports/split.json"]


def test_a_split_that_was_not_asked_for_lacks_nothing() -> None:
    without = SETTINGS.model_copy(update={"validation": 0.0, "test": 0.0})
    assert lacking(parts(rows(*TALK), rows(), rows()), without) == []
    assert lacking(parts(rows(), rows(), rows()), SETTINGS) == []
