"""The table of steps: what `clean` does, in order. Cleaning what is clean changes nothing."""

from collections import Counter
from collections.abc import Callable

from tasks.machine.progress import Progress
from tasks.prepare.clean.conflicts import drop_conflicts
from tasks.prepare.clean.duplicates import drop_duplicates
from tasks.prepare.clean.evidence import drop_missing_evidence
from tasks.prepare.clean.filters import Verdict, filter_rows
from tasks.prepare.clean.repairs import repair_texts
from tasks.prepare.settings import CleanSettings
from tasks.rows.records import Dropped, Rows

STEPS: tuple[Callable[[Rows, CleanSettings], Verdict], ...] = (
    repair_texts,  # first: two texts may be equal only when they are whole
    filter_rows,
    drop_duplicates,
    drop_conflicts,  # after the duplicates: the same answer twice is no conflict
    drop_missing_evidence,  # last: documents may have gone
)


def clean_rows(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows after every step of the table."""
    progress = Progress(len(STEPS), "steps")
    dropped: list[Dropped] = []
    repaired: Counter[str] = Counter()
    for done, step in enumerate(STEPS, start=1):
        verdict = step(rows, settings)
        rows = verdict.rows
        dropped += verdict.dropped
        repaired += verdict.repaired
        progress.update(done)
    return Verdict(rows=rows, dropped=tuple(dropped), repaired=repaired)
