"""Stage `split`: train, validation and test, by hash of the group, so that nothing leaks and nothing moves.

A group falls where BLAKE2b(salt|group) / 2^64 falls among the shares; groups with a prompt in common, and
those with rows that are nearly the same (`tasks.prepare.similar`), are one. The ledger beside the splits says
where each was placed, and no row ever changes sides: new ones inherit, and one that belongs with rows of two
sides stands nowhere (`tasks.prepare.split.bridges`). With `split.whole_documents` so are groups that name a
document in common. Groups with rows of the task `general` are all for
training: they are replayed, never asked. Held-out rows (`held_out`) stay in the split that may ask them and
leave every other; a group that has none but such rows for the test stands there whole.

Test sets of the user's own (files that are held out) stand in the test whole, and move nothing: rows of train
and validation that are like one of their questions, or of its group, are taken out and told. So are rows that
hold an item of an evaluation set that `split.evaluations` lists.

Where `split.train_on_tagged` is false, documents with tags and the rows that rest on them stand nowhere: tags
say who finds a document, and a model says what it has learnt to everybody.
"""

import shutil
from collections import Counter
from functools import partial
from pathlib import Path

from tasks.errors import GateError
from tasks.machine.executors import executing
from tasks.machine.settings import ParallelSettings
from tasks.prepare.decontamination.evaluations import sentences, told_by_file
from tasks.prepare.decontamination.own_sets import taken_by_name
from tasks.prepare.seen import seen_before
from tasks.prepare.settings import KnowledgeSettings, SplitSettings
from tasks.prepare.split.bridges import BRIDGE
from tasks.prepare.split.checks import check_filled, check_leaks
from tasks.prepare.split.counting import counted, figures_of
from tasks.prepare.split.dividing import Division
from tasks.prepare.split.documents import Documents, resting_on
from tasks.prepare.split.ledger import LEDGER, read_ledger, write_ledger
from tasks.prepare.split.notes import UNDATABLE, held_hashes
from tasks.prepare.split.placing import placed
from tasks.prepare.split.searching import search_items, search_own
from tasks.prepare.split.shards import Shards
from tasks.prepare.split.strata import lacking, shortened, strata
from tasks.prepare.split.writing import held_out_in, write_splits, write_unused
from tasks.rows.arrow import schema
from tasks.rows.held_out import versions
from tasks.rows.records import Document, Dropped, EvaluationItem
from tasks.rows.reports import Report, read_report, write_report
from tasks.rows.tables import FILES, read_shards, read_table, write_arrow

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
    work: Path,
    parallel: ParallelSettings,
    settings: SplitSettings,
    knowledge: KnowledgeSettings,
) -> None:
    """Divide the rows that are not quarantined; documents stay whole, they are knowledge, not questions.

    The documents beside the rows are those that training and evaluation see (`tasks.prepare.seen`).

    Raises:
        GateError: the gate did not let the data pass.
        LeakError: a group, a prompt or a document that holds rows together would stand in two splits.
        SourceError: a split that was asked for has no example, or the ledger is damaged.
    """
    _passed(gate)
    ledger = read_ledger(before, settings)
    shards = Shards(rows)
    held_back = held_hashes(row for shard in read_shards(quarantine, Dropped) for row in shard)
    documents = Documents(rows / FILES[Document], held_back, with_tags=settings.train_on_tagged)
    closed = documents.closed()
    items = read_table(evaluations, EvaluationItem)
    with executing(parallel, shards=len(shards)) as executor:
        placing = placed(shards, held_back, ledger, settings, executor=executor, work=work)
        _tell(placing.division)
        own = placing.own()
        search = partial(search_own, own=own, settings=settings, executor=executor, work=work / "own")
        taken = placing.take_out(search(placing.trained()))
        search = partial(search_items, items=items, executor=executor, work=work / "items")
        quoting = placing.take_out(search(placing.trained()))
        resting = placing.take_out(resting_on(closed, [*placing.trained(), *placing.tested()]))
        tested = Counter(each.name for each in search(placing.tested()))
        quoted = documents.holding(items, executor)
    check_leaks(placing)
    check_filled(placing, settings)
    tallies = write_splits(splits, placing)
    unused = write_unused(splits / UNUSED, placing)
    write_ledger(splits / LEDGER, placing.division.ledger, settings)
    seen = seen_before(before, splits, documents, most=knowledge.max_drift)
    if seen and closed and (seen[1].removed or seen[1].changed):
        seen = None  # what is not open today as it was then may be closed by now
    if seen:
        path, differ = seen
        shutil.copyfile(path, splits / FILES[Document])
        print(f"split: training saw other documents ({differ.told}): it stays as it is, and they are served")
    else:
        write_arrow(splits / FILES[Document], schema(Document), documents.untagged())
    if closed:
        print(f"split: {len(closed)} documents with tags are left out, and {len(resting)} rows that name one")
    if own:
        print(f"split: {len(taken)} rows are not trained on, for {len(own)} held-out questions of your own")
    sets = told_by_file(
        items,
        examples=Counter(each.name for each in quoting if placing.kind_at(each.place) == "example"),
        preferences=Counter(each.name for each in quoting if placing.kind_at(each.place) == "preference"),
        tested=tested,
        documents=quoted,
    )
    lacks = lacking(tallies, settings)
    for line in (*sentences(sets), *shortened(lacks)):
        print(f"split: {line}")
    times, unreadable = placing.division.times, int(placing.standing(UNDATABLE).sum())
    figures = figures_of(placing, tallies) | {
        "held_out": versions(held_out_in(splits / "test")),
        "decontaminated": taken_by_name((each.name, each.reason) for each in taken),
        **({"evaluations": sets} if sets else {}),
        **({"time": {**times.figures, "unreadable": unreadable}} if times else {}),
        "strata": strata(tallies),
        "lacking": lacks,
        "documents_of_before": seen is not None,
        **({"tagged": {"documents": len(closed), "rows": len(resting)}} if closed else {}),
    }
    write_report(report, Report(stage="split", rows=counted(placing, documents, unused), figures=figures))


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
