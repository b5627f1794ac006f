"""The test sets of the user's own among the rows, and the version of what is held out.

Two kinds of rows are held out (`held_out`). The source `packages` holds out wordings and packages of what it
makes; these share their frames with training rows by design. What a file holds out is a test set of the
user's own: nothing like it may be trained on, and nothing changes it.
"""

import hashlib
import json
from collections.abc import Iterable

from tasks.rows.records import FOR_VALIDATION, Example, Preference

_MADE = "packages"  # `source` of the rows that a source of that kind makes; a file's is its path


def own_name(row: Example | Preference) -> str:
    """The name of the user's own test set that a row is of; empty for all other rows."""
    return "" if row.source == _MADE or row.held_out == FOR_VALIDATION else row.held_out


def fingerprint(rows: Iterable[Example]) -> str:
    """Twelve letters that are the same where questions and answers are, whatever their order and their ids.

    It is the version of a test set: two scores may be compared where it is the same.
    """
    asked = sorted(
        json.dumps([[turn.role, turn.content] for turn in row.messages], ensure_ascii=False) for row in rows
    )
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]


def versions(rows: Iterable[Example]) -> dict[str, dict[str, int | str]]:
    """For each name that rows are held out under, in order: how many `questions`, and their `version`."""
    parts: dict[str, list[Example]] = {}
    for row in rows:
        if row.held_out:
            parts.setdefault(row.held_out, []).append(row)
    return {
        name: {"questions": len(part), "version": fingerprint(part)} for name, part in sorted(parts.items())
    }
