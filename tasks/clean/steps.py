"""The table of steps: what `clean` does, in order. Cleaning what is clean changes nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.clean.conflicts import drop_conflicts
from tasks.clean.duplicates import drop_duplicates
from tasks.clean.equal_answers import drop_equal_answers
from tasks.clean.evidence import drop_missing_evidence
from tasks.clean.length import drop_by_length
from tasks.clean.repairs import repair_texts
from tasks.clean.verdict import Verdict
from tasks.progress import Progress
from tasks.records import Dropped, Rows
from tasks.settings import CleanSettings

STEPS: tuple[tuple[str, Callable[[Rows, CleanSettings], Verdict]], ...] = (
    ("repairs", repair_texts),  # first: two texts may be equal only when they are whole
    ("length", drop_by_length),
    ("equal_answers", drop_equal_answers),
    ("duplicates", drop_duplicates),
    ("conflicts", drop_conflicts),  # after the duplicates: the same answer twice is no conflict
    ("evidence", drop_missing_evidence),  # last: documents may have gone
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The rows that go on, those that do not, and how many texts each repair changed."""

    rows: Rows
    dropped: tuple[Dropped, ...]
    repaired: Counter[str] = field(default_factory=Counter)


def clean_rows(rows: Rows, settings: CleanSettings) -> Cleaned:
    """The rows after every step of the table."""
    progress = Progress(len(STEPS), "steps")
    dropped: list[Dropped] = []
    repaired: Counter[str] = Counter()
    for done, (_, step) in enumerate(STEPS, start=1):
        verdict = step(rows, settings)
        rows = verdict.rows
        dropped += verdict.dropped
        repaired += verdict.repaired
        progress.update(done)
    return Cleaned(rows=rows, dropped=tuple(dropped), repaired=repaired)
