"""The table of steps: what `clean` can do. params.yaml names those that it does, in their order."""

from collections.abc import Mapping

from tasks.machine.progress import Progress
from tasks.prepare.clean.blobs import blob
from tasks.prepare.clean.conflicts import drop_conflicts
from tasks.prepare.clean.duplicates import drop_duplicates
from tasks.prepare.clean.echoes import echo
from tasks.prepare.clean.evidence import drop_missing_evidence
from tasks.prepare.clean.filters import empty, equal_answers, length
from tasks.prepare.clean.injection import drop_orders
from tasks.prepare.clean.language import drop_foreign
from tasks.prepare.clean.near_duplicates import drop_near_duplicates
from tasks.prepare.clean.passes import Step, in_memory
from tasks.prepare.clean.personal import redact_personal
from tasks.prepare.clean.placeholders import placeholder
from tasks.prepare.clean.plan import planned
from tasks.prepare.clean.repairs import repair_texts
from tasks.prepare.clean.repetition import repetition
from tasks.prepare.clean.thresholds import outside
from tasks.prepare.clean.verdict import Verdict, each_row, each_text
from tasks.prepare.clean_settings import CleanSettings, CleanStep
from tasks.rows.records import Rows

STEPS: Mapping[CleanStep, Step] = {
    "repairs": repair_texts,  # first: two texts may be equal only when they are whole
    "empty": each_text(empty),
    "length": each_row(length),
    "equal_answers": each_row(equal_answers),
    "placeholders": each_row(placeholder),
    "echoes": each_row(echo),
    "blobs": each_row(blob),
    "repetition": each_row(repetition),
    "injection": drop_orders,
    "language": drop_foreign,
    "personal": redact_personal,  # before the duplicates: texts may be equal without them
    "signals": each_row(outside),
    "duplicates": drop_duplicates,
    "conflicts": drop_conflicts,  # after the duplicates: of three equal answers none is told as another
    "evidence": drop_missing_evidence,  # documents may have gone
    "near_duplicates": drop_near_duplicates,  # last: what is near depends on all rows that stay
}


def clean_rows(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows after every step that params.yaml names. Cleaning what is clean changes nothing."""
    plan = planned([STEPS[name] for name in settings.steps], settings)
    progress = Progress(len(plan), "passes")
    return in_memory(plan, rows, settings, progress=progress.update)
