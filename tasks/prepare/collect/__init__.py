"""Stage `collect`: rows of every source that params.yaml names, in one schema."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tasks.machine.cache import cache_folder
from tasks.machine.settings import RunSettings
from tasks.prepare.collect.corrections import Corrections
from tasks.prepare.collect.evaluations import read_evaluations
from tasks.prepare.collect.identifiers import Correction
from tasks.prepare.collect.joining import join
from tasks.prepare.collect.parts import Part, parts_in
from tasks.prepare.collect.provenance import provenance
from tasks.prepare.collect.sources import given_by
from tasks.prepare.collect.tagging import tags_of
from tasks.prepare.collect.versions import code_version
from tasks.prepare.collect_settings import CollectSettings
from tasks.prepare.settings import SplitSettings
from tasks.rows.records import Dropped, EvaluationItem, RowKind
from tasks.rows.reports import Report, RowCount, row_counts, write_report
from tasks.rows.tables import KINDS, write_table

FATES = {
    "left_out": "left rows out",
    "mended": "mended rows",
    "row_gone": "are of rows that are not there any more",
    "source_changed": "are not used: the source says something else by now; threeply rows export shows it",
}


def collect(
    sources: Path,
    *,
    raw: Path,
    dropped: Path,
    evaluations: Path,
    report: Path,
    run: RunSettings,
    settings: CollectSettings,
    split: SplitSettings,
) -> None:
    """Read every source of `settings` and write its rows, with those that could not be read and why.

    The items of the evaluation sets that `split` looks for are read here as well, into a file of their own:
    this stage alone reads what lies in the folder of sources.

    Raises:
        SourceError: a source cannot be read, or a test set of the user's own contradicts itself.
    """
    cache = cache_folder()
    with parts_in(cache, Path.cwd(), code_version()) as known:
        figures: list[dict[str, object]] = []
        parts: list[Part] = []
        corrections: list[Correction] = []
        for source in settings.sources:
            given = given_by(source, sources, known, cache=cache, seed=run.seed)
            tags = tags_of(source)
            mine = [replace(known.part(piece), tags=tags) for piece in given.pieces]
            told = given.finish([part.note for part in mine])
            names = {name for part in mine for name in part.note.names}
            closed = {"tags": tags} if tags else {}
            own = provenance(source, names, given.about)
            figures.append({"source": source.kind, **told, **closed, "provenance": own})
            parts += mine
            corrections += given.corrections
        mending = Corrections(corrections)
        joined = join(parts, mending, raw=raw)
        lost = write_table(
            dropped, Dropped, chain(chain.from_iterable(part.dropped() for part in parts), joined.dropped)
        )
    for doubt in joined.doubts:
        print(f"collect: {doubt}")
    sets = read_evaluations(split.evaluations, watched=sources)
    write_table(evaluations, EvaluationItem, sets.items)
    fates = dict(sorted(mending.fates().items()))
    write_report(
        report,
        Report(
            stage="collect",
            rows=counted(joined.counts, *lost_rows(parts, joined.dropped)),
            figures={
                "sources": figures,
                **({"evaluations": sets.figures} if sets.figures else {}),
                **({"corrections": fates} if fates else {}),
            },
        ),
    )
    for fate, count in fates.items():
        print(f"collect: {count} corrections {FATES[fate]}")
    print(
        f"collect: {joined.counts['document']} documents, {joined.counts['example']} examples, "
        f"{joined.counts['preference']} preferences, {lost} rows could not be read"
    )


def counted(
    kept: Mapping[RowKind, int], refused: Mapping[RowKind, Counter[str]], unused: Counter[str]
) -> list[RowCount]:
    """What came in, what was kept, what was refused, and which opinions (`unused`) make no pair, by kind."""
    counts: list[RowCount] = []
    for kind in KINDS:
        idle = unused if kind == "preference" else Counter[str]()
        entered = kept[kind] + refused[kind].total() + idle.total()
        counts += row_counts(kind, entered, kept=kept[kind], dropped=refused[kind], unused=idle)
    return counts


def by_reason(refused: Iterable[Dropped]) -> dict[RowKind, Counter[str]]:
    """How many rows of each kind were refused, by reason."""
    found = {kind: Counter[str]() for kind in KINDS}
    for row in refused:
        found[row.kind][row.reason] += 1
    return found


def lost_rows(
    parts: Iterable[Part], by_people: Sequence[Dropped] = ()
) -> tuple[dict[RowKind, Counter[str]], Counter[str]]:
    """The rows that go no further, by kind and reason, and the opinions that make no pair."""
    refused, unused = by_reason(by_people), Counter[str]()
    for part in parts:
        unused.update(part.note.told.get("unused", {}))
        for kind, reasons in part.note.lost.items():
            refused[kind].update(reasons)
    return refused, unused
