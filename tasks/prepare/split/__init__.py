"""Stage `split`: train, validation and test, by hash of the group, so that nothing leaks and nothing moves.

A group falls where BLAKE2b(salt|group) / 2^64 falls among the shares; groups with a prompt in common, and
those with rows that are nearly the same (`tasks.prepare.similar`), are one. The ledger beside the splits says
where each was placed, and no row ever changes sides: new ones inherit, and one that belongs with rows of two
sides stands nowhere (`tasks.prepare.split.bridges`). Groups with rows of the task `general` are all for
training: they are replayed, never asked. Held-out rows (`held_out`) stay in the split that may ask them and
leave every other; a group that has none but such rows for the test stands there whole.

Test sets of the user's own (files that are held out) stand in the test whole, and move nothing: rows of train
and validation that are like one of their questions, or of its group, are taken out and told. So are rows that
hold an item of an evaluation set that `split.evaluations` lists.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.errors import GateError
from tasks.prepare.decontamination.evaluations import documents_holding, holding, sentences, told_by_file
from tasks.prepare.decontamination.own_sets import LeftOut, contaminated, row_key, taken_by_name, without
from tasks.prepare.seen import drift, seen_before
from tasks.prepare.settings import KnowledgeSettings, SplitSettings
from tasks.prepare.similar.rows import Asked
from tasks.prepare.split.bridges import BRIDGE
from tasks.prepare.split.checks import check_filled, check_leaks
from tasks.prepare.split.chronology import undatable
from tasks.prepare.split.counting import counted, figures_of, unused_rows
from tasks.prepare.split.dividing import Division, divide
from tasks.prepare.split.ledger import LEDGER, SplitName, read_ledger, write_ledger
from tasks.prepare.split.strata import lacking, shortened, strata
from tasks.rows.held_out import own_name, versions
from tasks.rows.records import Document, Dropped, EvaluationItem, Example, Preference, Rows
from tasks.rows.reports import Report, read_report, write_report
from tasks.rows.tables import FILES, read_rows, read_table, write_table

UNUSED = "unused.parquet"


def split(
    rows: Path,
    quarantine: Path,
    gate: Path,
    evaluations: Path,
    *,
    splits: Path,
    report: Path,
    before: Path | None,
    settings: SplitSettings,
    knowledge: KnowledgeSettings,
) -> None:
    """Divide the rows that are not quarantined; documents stay whole, they are knowledge, not questions.

    The documents beside the rows are those that training and evaluation see (`tasks.prepare.seen`).

    Raises:
        GateError: the gate did not let the data pass.
        LeakError: a group or a prompt would stand in two splits.
        SourceError: a split that was asked for has no example, or the ledger is damaged.
    """
    _passed(gate)
    everything = read_rows(rows)
    held = {(row.kind, row.id) for row in read_table(quarantine, Dropped)}
    kept = Rows.of(
        row for kind, part in everything.by_kind().items() for row in part if (kind, row.id) not in held
    )
    own = [row for row in kept.asked if own_name(row)]
    divided = [row for row in kept.asked if not own_name(row)]
    timeless = undatable(divided, settings)
    others = Rows.of(without(divided, timeless))
    division = divide(others, read_ledger(before, settings), settings)
    _tell(division)
    trained = (*division.splits["train"].asked, *division.splits["validation"].asked)
    groups = {row_key(row): row.group for row in others.asked}
    taken = contaminated(trained, own, groups, near=settings.near)
    items = read_table(evaluations, EvaluationItem)
    quoting = holding(without(trained, taken), items)
    placed = _placed(division.splits, [*taken, *quoting], own)
    check_leaks(placed)
    check_filled(placed, settings)
    for name, part in placed.items():
        write_table(splits / name / FILES[Example], Example, part.examples)
        write_table(splits / name / FILES[Preference], Preference, part.preferences)
        print(f"split: {name} has {len(part.examples)} examples, {len(part.preferences)} preferences")
    unused = unused_rows(kept, placed, [*timeless, *taken, *quoting], division.bridges)
    write_table(splits / UNUSED, Dropped, unused)
    write_ledger(splits / LEDGER, division.ledger, settings)
    seen = seen_before(before, splits, kept.documents, most=knowledge.max_drift)
    if seen is not None:
        shutil.copyfile(seen, splits / FILES[Document])
        differ = drift(read_table(seen, Document), kept.documents)
        print(f"split: training saw other documents ({differ.told}): it stays as it is, and they are served")
    else:
        write_table(splits / FILES[Document], Document, kept.documents)
    if own:
        print(f"split: {len(taken)} rows are not trained on, for {len(own)} held-out questions of your own")
    sets = told_by_file(
        items,
        quoting,
        tested=holding(placed["test"].asked, items),
        documents=documents_holding(kept.documents, items),
    )
    lacks = lacking(placed, settings)
    for line in (*sentences(sets), *shortened(lacks)):
        print(f"split: {line}")
    figures = figures_of(others, division, placed) | {
        "held_out": versions(placed["test"].examples),
        "decontaminated": taken_by_name(taken),
        **({"evaluations": sets} if sets else {}),
        **({"time": {**division.times.figures, "unreadable": len(timeless)}} if division.times else {}),
        "strata": strata(placed),
        "lacking": lacks,
        "documents_of_before": seen is not None,
    }
    write_report(report, Report(stage="split", rows=counted(everything, kept, unused), figures=figures))


def _placed(
    splits: Mapping[SplitName, Rows], taken: Sequence[LeftOut], own: Sequence[Asked]
) -> dict[SplitName, Rows]:
    """The splits without what is taken out, and with all of the test sets in the test."""
    left = {name: Rows.of(without(rows.asked, taken)) for name, rows in splits.items()}
    return left | {"test": Rows.of((*left["test"].asked, *own))}


def _tell(division: Division) -> None:
    """Say what is not as it was, or stands nowhere, and where splits by time begin."""
    if division.times:
        print(f"split: {division.times.told()}")
    if division.ledger.anew:
        print("split: another salt, or other shares: the ledger begins anew, and rows may move")
    if division.bridges:
        print(
            f"split: {len(division.bridges)} rows belong with two sides and stand on none ({BRIDGE}); "
            "where groups were changed on purpose, another split.salt begins anew"
        )


def _passed(gate: Path) -> None:
    """Refuse data that the gate held; `dvc repro` stops before, a stage run by hand would not."""
    if not read_report(gate).figures.get("passed"):
        raise GateError(f"the gate did not let these rows pass; {gate} says why")
