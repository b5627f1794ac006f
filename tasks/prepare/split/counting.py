"""What became of each row in the split, and what the report says of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.prepare.decontamination.own_sets import LeftOut, RowKey, row_key
from tasks.prepare.split.assigning import groups_of
from tasks.prepare.split.bridges import BRIDGE
from tasks.prepare.split.dividing import Division
from tasks.prepare.split.ledger import SplitName
from tasks.rows.records import Dropped, Rows
from tasks.rows.reports import RowCount, row_counts

APART = "held out, and not in the split that asks it"


def unused_rows(
    kept: Rows,
    placed: Mapping[SplitName, Rows],
    taken: Sequence[LeftOut],
    bridges: Mapping[RowKey, str],
) -> list[Dropped]:
    """Each row that stands in no split, and why, in the order of the rows."""
    standing = {row_key(row) for rows in placed.values() for row in rows.asked}
    causes = {key: (BRIDGE, told) for key, told in bridges.items()}
    causes |= {row_key(each.row): (each.reason, each.told()) for each in taken}
    unused: list[Dropped] = []
    for row in kept.asked:
        if (key := row_key(row)) not in standing:
            reason, detail = causes.get(key, (APART, row.held_out))
            unused.append(
                Dropped(
                    id=row.id, kind=key[0], source=row.source, stage="split", reason=reason, detail=detail
                )
            )
    return unused


def counted(before: Rows, after: Rows, unused: Sequence[Dropped]) -> list[RowCount]:
    """The row accounting: what came in, what validation holds back, and what stands in no split."""
    counts: list[RowCount] = []
    went = after.by_kind()
    for kind, came in before.by_kind().items():
        lost = len(came) - len(went[kind])
        reasons = Counter(row.reason for row in unused if row.kind == kind)
        counts += row_counts(
            kind,
            len(came),
            kept=len(went[kind]) - reasons.total(),
            quarantined={"validate": lost},
            unused=reasons,
        )
    return counts


def figures_of(kept: Rows, division: Division, splits: Mapping[SplitName, Rows]) -> dict[str, Any]:
    """What each split has, and what was held together or kept apart; `largest_group` is a count of rows."""
    return {
        "splits": {
            name: {
                "examples": len(rows.examples),
                "preferences": len(rows.preferences),
                "groups": len(groups_of(rows)),
                "tasks": dict(sorted(Counter(row.task for row in rows.examples).items())),
                "held_out": dict(
                    sorted(Counter(row.held_out for row in rows.examples if row.held_out).items())
                ),
                "flaws": dict(sorted(Counter(row.flaw or "unknown" for row in rows.preferences).items())),
            }
            for name, rows in splits.items()
        },
        "groups": len(groups_of(kept)),
        "groups_united": len(groups_of(kept)) - len(groups_of(division.united)),
        "near_pairs": len(division.near),
        "largest_group": max(Counter(row.group for row in division.united.asked).values(), default=0),
        "bridges": len(division.bridges),
        "ledger": len(division.ledger.sides),
        "ledger_anew": division.ledger.anew,
    }
