"""Drops preferences that prefer nothing."""

from dataclasses import replace

from tasks.clean.verdict import Verdict, drop
from tasks.records import Preference, Rows
from tasks.settings import CleanSettings


def drop_equal_answers(rows: Rows, settings: CleanSettings) -> Verdict:
    """Preferences whose two answers differ in more than blanks."""
    del settings
    return Verdict(
        rows=replace(rows, preferences=tuple(pair for pair in rows.preferences if not _equal(pair))),
        dropped=tuple(drop(pair, "equal_answers") for pair in rows.preferences if _equal(pair)),
    )


def _equal(pair: Preference) -> bool:
    return pair.chosen.split() == pair.rejected.split()
