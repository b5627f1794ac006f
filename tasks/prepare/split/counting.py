"""What became of the rows in the split, in counts for the report."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tasks.prepare.split.documents import Documents
from tasks.prepare.split.notes import HELD_BACK
from tasks.prepare.split.placing import Placing
from tasks.prepare.split.sides import SplitName
from tasks.prepare.split.tallies import Tally
from tasks.rows.records import RowKind
from tasks.rows.reports import RowCount, row_counts


def counted(
    placing: Placing, documents: Documents, unused: Mapping[tuple[RowKind, str], int]
) -> list[RowCount]:
    """The row accounting: what came in, what validation holds back, what stands in no split, by reason."""
    held_back = placing.standing(HELD_BACK)
    counts: list[RowCount] = []
    for kind, came, kept in (
        ("example", *placing.counts("example", ~held_back)),
        ("preference", *placing.counts("preference", ~held_back)),
        ("document", *documents.counts()),
    ):
        reasons = Counter({reason: many for (of, reason), many in unused.items() if of == kind})
        counts += row_counts(
            kind,
            came,
            kept=kept - reasons.total(),
            quarantined={"validate": came - kept},
            unused=reasons,
        )
    return counts


def figures_of(placing: Placing, tallies: Mapping[SplitName, Tally]) -> dict[str, Any]:
    """What each split has, and what was held together or kept apart; `largest_group` is a count of rows."""
    division, groups = placing.division, placing.groups_by_split()
    sizes = division.sizes()
    return {
        "splits": {
            name: {
                "examples": tally.examples,
                "preferences": tally.preferences,
                "groups": groups[name],
                "tasks": dict(tally.tasks),
                "held_out": {held: count for held, count in tally.held_out.items() if held},
                "flaws": dict(tally.flaws),
            }
            for name, tally in tallies.items()
        },
        "groups": division.groups,
        "groups_united": division.groups - len(sizes),
        "near_pairs": placing.near,
        "largest_group": int(sizes.max(initial=0)),
        "bridges": len(division.bridges),
        "ledger": len(division.ledger),
        "ledger_anew": division.ledger.anew,
    }
