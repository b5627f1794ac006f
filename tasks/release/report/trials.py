"""The trials of a search, as a table: what was tried, with how much, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.machine.progress import duration
from tasks.pages.numbers import spelled
from tasks.rows.reports import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLine:
    """One trial; `outcome` is its validation loss, or why it failed."""

    rung: int
    method: str
    settings: str
    tokens: str
    outcome: str
    time: str
    chosen: bool


def trial_lines(report: Report | None) -> list[TrialLine]:
    """The trials rung by rung, the best of each first; none where there was no search."""
    if report is None or "attempts" not in report.figures:
        return []
    choice = report.figures["choice"]
    last = max(one["rung"] for one in report.figures["attempts"])
    tried = sorted(report.figures["attempts"], key=_rank)
    return [
        TrialLine(
            rung=one["rung"] + 1,
            method=one["method"],
            settings=", ".join(f"{name} {spelled(value)}" for name, value in one["settings"].items()),
            tokens=spelled(one["trained"]),
            outcome=one["failed"] or f"{one['loss']:.4f}",
            time=duration(one["seconds"]),
            chosen=one["rung"] == last
            and (one["method"], one["settings"]) == (choice["method"], choice["settings"]),
        )
        for one in tried
    ]


def search_sentences(report: Report | None) -> list[str]:
    """How the search ended; nothing where there was none."""
    if report is None or "attempts" not in report.figures:
        return []
    told = report.figures
    made = f"{len(told['attempts'])} trials ({told['failed']} failed)"
    spent = f"{told['spent_tokens']:,} of {told['budget_tokens']:,} tokens"
    confirmed = told.get("confirmation")
    return [
        f"sft.method is auto: a search chose {told['choice']['method']}. It made {made} with {spent}. How "
        f"it ended: {told['stopped']}. Losses of one rung compare with each other, those of two do not.",
        *([f"Then, {confirmed['sentence']}."] if confirmed else []),
    ]


def _rank(attempt: Mapping[str, Any]) -> tuple[int, bool, float, int]:
    loss = attempt["loss"]
    return attempt["rung"], loss is None, loss or 0.0, attempt["number"]
