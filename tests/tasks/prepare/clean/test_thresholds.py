"""Protects that rows are dropped by signals where somebody says so, and only then."""

import math

import pytest

from deploy.errors import SettingsError
from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.clean_settings import SignalName
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows

ROWS = rows(
    question("words", "Why?", "It is a good one."),
    question("signs", "How?", "`+-*/` `&&`"),
    pairs=(pair("pair", "No.", "It is a good one."),),
    documents=(document("document", "A text of five words."),),
)


def dropped(**bounds: list[float]) -> dict[str, str]:
    settings = cleaning(signals=bounds)
    return {row.id: f"{row.reason} {row.detail}" for row in clean_rows(ROWS, settings).dropped}


def test_without_bounds_nothing_is_dropped() -> None:
    assert dropped() == {}


def test_a_row_outside_is_dropped_and_told_by_how_much() -> None:
    assert dropped(alphabetic_share=[0.2, 1.0]) == {
        "signs": "signal alphabetic_share 0 is not within 0.2 and 1",
    }
    assert set(dropped(words=[2, math.inf])) == {"pair"}
    assert set(dropped(words=[0, 4])) == {"words", "document"}


@pytest.mark.parametrize(
    ("lines", "fault"),
    [("{words: [5, 2]}", "least, most"), ("{words: [5]}", "signals"), ("{length: [0, 1]}", "length")],
)
def test_bounds_that_make_no_sense_are_refused(tmp_path: object, lines: str, fault: str) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "params.yaml"
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert text.count("  signals: {}") == 1
    path.write_text(text.replace("  signals: {}", f"  signals: {lines}"), encoding="utf-8")
    with pytest.raises(SettingsError, match=fault):
        load_settings(path)


def test_each_signal_can_be_bounded() -> None:
    from typing import get_args

    from tasks.prepare.signals import SIGNALS

    assert set(get_args(SignalName)) == set(SIGNALS)
