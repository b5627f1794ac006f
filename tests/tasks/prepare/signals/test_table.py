"""Protects the table of signals: a line for each row, without its text, the same bytes for the same rows."""

from pathlib import Path

import pandas as pd

from tasks.prepare.signals import SIGNALS
from tasks.prepare.signals.table import QUANTILES, measured, write_signals
from tests.tasks.rows.made import document, pair, question, rows

ROWS = rows(
    question("one", "Why?", "It is a secretword."),
    question("two", "Why?", "No."),
    pairs=(pair("one", "Yes, it is.", "No."),),
    documents=(document("a", "Some text."),),
)


def test_each_row_has_a_line_of_its_better_answer_or_text(tmp_path: Path) -> None:
    write_signals(tmp_path / "new/signals.parquet", [measured(ROWS)])
    table = pd.read_parquet(tmp_path / "new/signals.parquet")
    assert list(table.columns) == ["id", "kind", "source", *SIGNALS]
    assert list(zip(table["kind"], table["id"], table["words"], strict=True)) == [
        ("example", "one", 4.0),
        ("example", "two", 1.0),
        ("preference", "one", 3.0),
        ("document", "a", 2.0),
    ]


def test_no_text_is_in_it_and_it_can_be_made_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    write_signals(one, [measured(ROWS)])
    write_signals(two, [measured(ROWS)])
    assert one.read_bytes() == two.read_bytes()
    assert b"secretword" not in one.read_bytes()


def test_the_quantiles_are_those_of_each_kind_that_has_rows(tmp_path: Path) -> None:
    found = write_signals(tmp_path / "signals.parquet", [measured(rows(*ROWS.examples))])
    assert set(found) == {"example"}
    assert set(found["example"]) == set(SIGNALS)
    words = found["example"]["words"]
    assert list(words) == list(QUANTILES)
    assert (words["least"], words["median"], words["most"]) == (1.0, 2.5, 4.0)


def test_no_rows_make_an_empty_table(tmp_path: Path) -> None:
    assert write_signals(tmp_path / "signals.parquet", [measured(rows())]) == {}
    assert len(pd.read_parquet(tmp_path / "signals.parquet")) == 0
