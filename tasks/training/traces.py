"""From which rows judged answers have taught, as lines of the table beside the adapter.

A pair of answers that were sampled to a question is traced back to that example, and a twin without its
evidence to the row that it was made of. No token counts by itself where answers are judged: `tokens` are 0.
"""

from collections.abc import Iterable
from dataclasses import replace

from tasks.rows.records import Example, Learned, LearnedForm, Preference, RowKind
from tasks.training.counterfactuals import SUFFIX

SAMPLED = "samples"  # the source of pairs of sampled answers


def sampled_name(example: Example, better: int, worse: int) -> str:
    """What the pair of two sampled answers to an example is called; they count from 1."""
    return f"{SAMPLED}:{example.id}:{better}>{worse}"


def traced(
    rows: Iterable[tuple[Example | Preference, int]], *, kind: RowKind, twins: bool = False
) -> list[Learned]:
    """A line for each row that was learned from, by id, of rows of a kind with how often each was.

    With `twins` they are without their evidence.
    """
    found: dict[tuple[RowKind, str], Learned] = {}
    for row, times in rows:
        if times:
            line = _line(row, times, kind, "counterfactual" if twins else "itself")
            before = found.get((line.kind, line.id))
            found[line.kind, line.id] = replace(line, times=line.times + before.times) if before else line
    return [found[key] for key in sorted(found)]


def _line(row: Example | Preference, times: int, kind: RowKind, form: LearnedForm) -> Learned:
    name = row.id.removesuffix(SUFFIX) if form == "counterfactual" else row.id
    if row.source == SAMPLED and kind == "preference":
        name, kind, form = name.removeprefix(f"{SAMPLED}:").rpartition(":")[0], "example", "sampled"
    return Learned(id=name, kind=kind, source=row.source, form=form, times=times, tokens=0, reason="")
