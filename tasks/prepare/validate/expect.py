"""An expectation as the suites write it: a Great Expectations class with a short name and a sentence."""

from collections.abc import Callable
from typing import Any

from tasks.prepare.validate_settings import Severity

# What is judged of a row: the name of each column, its type, and how it is made of the row (None: of all
# tables together, by between.py).
Columns = dict[str, tuple[str, Callable[[Any], object]] | None]


def expect(
    kind: str,
    name: str,
    description: str,
    *,
    severity: Severity = "critical",
    key: str = "",
    detail: str = "",
    remedy: str = "",
    **arguments: Any,
) -> Any:
    """The expectation `kind` (`ColumnValuesToBeUnique`) with its arguments.

    A critical one about single rows (its class is about column values) puts the rows that fail into
    quarantine under `name`; about the whole table it stops the chain. A warning is shown. `key` is the
    setting that holds its bound, `detail` what else is to be said where it is not met, and `remedy` what may
    be done beside mending the rows.
    """
    from great_expectations import expectations

    return getattr(expectations, f"Expect{kind}")(
        description=description,
        severity=severity,
        meta={"name": name, "key": key, "detail": detail, "remedy": remedy},
        **arguments,
    )


def true(column: str, description: str, *, severity: Severity = "critical") -> Any:
    """The expectation that the yes-or-no `column` says yes in each row; it is named as the column."""
    return expect(
        "ColumnValuesToBeInSet", column, description, severity=severity, column=column, value_set=[True]
    )


def identified(row: str, *, least: int) -> list[Any]:
    """What is expected of every table: enough rows, each with an id; `row` is what one is called."""
    return [
        expect(
            "TableRowCountToBeBetween",
            "enough",
            f"There are at least {least} {row}s.",
            key=f"validate.min_{row}s",
            min_value=least,
        ),
        expect("ColumnValuesToBeUnique", "id_unique", f"No two {row}s share an id.", column="id"),
        true("id_apart", f"No {row} shares its id with a row of another kind.", severity="warning"),
        true("named", f"Each {row} has an id."),
    ]


def short_answers(most: int) -> Any:
    """The expectation that the column `answer_words` holds at most `most`."""
    return expect(
        "ColumnValuesToBeBetween",
        "answer_length",
        f"An answer has at most {most} words.",
        key="validate.max_answer_words",
        column="answer_words",
        max_value=most,
    )
