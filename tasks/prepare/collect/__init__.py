"""Stage `collect`: rows of every source that params.yaml names, in one schema."""

import os
from collections import Counter
from pathlib import Path

from tasks.machine.settings import RunSettings
from tasks.prepare.collect.addressed import read_url
from tasks.prepare.collect.addresses import by_id
from tasks.prepare.collect.corrections import corrected, read_corrections
from tasks.prepare.collect.databases import read_sql
from tasks.prepare.collect.datasets import read_dataset
from tasks.prepare.collect.documentation.extracts import read_extracts
from tasks.prepare.collect.documentation.packages import read_packages
from tasks.prepare.collect.evaluations import read_evaluations
from tasks.prepare.collect.feedback import read_feedback
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.folders import read_folder
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.own import check_own
from tasks.prepare.collect.provenance import provenance
from tasks.prepare.collect.queries import read_queries
from tasks.prepare.collect_settings import (
    CollectSettings,
    CorrectionsSource,
    DatasetSource,
    ExtractsSource,
    FeedbackSource,
    FileSource,
    FolderSource,
    PackagesSource,
    QueriesSource,
    Source,
    SqlSource,
    UrlSource,
)
from tasks.prepare.settings import SplitSettings
from tasks.rows.records import Dropped, EvaluationItem, Rows
from tasks.rows.reports import Report, RowCount, row_counts, write_report
from tasks.rows.tables import write_rows, write_table

FATES = {
    "left_out": "left rows out",
    "mended": "mended rows",
    "row_gone": "are of rows that are not there any more",
    "source_changed": "are not used: the source says something else by now; threeply rows export shows it",
}
CACHE = Path(".threeply/cache")  # of what is fetched; runs in other folders may share one (THREEPLY_CACHE)


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
    parts = [_read(source, sources, run.seed) for source in settings.sources]
    rows = by_id(Rows.of(row for part in parts for some in part.rows.by_kind().values() for row in some))
    mended = corrected(rows, [each for part in parts for each in part.corrections])
    rows = mended.rows
    refused = [*(row for part in parts for row in part.dropped), *mended.dropped]
    unused = sum((Counter(part.unused) for part in parts), Counter[str]())
    for doubt in check_own(rows):
        print(f"collect: {doubt}")
    sets = read_evaluations(split.evaluations, watched=sources)
    write_table(evaluations, EvaluationItem, sets.items)
    write_rows(raw, rows)
    write_table(dropped, Dropped, refused)
    write_report(
        report,
        Report(
            stage="collect",
            rows=counted(rows, refused, unused),
            figures={
                "sources": [
                    {"source": source.kind, **part.figures, "provenance": provenance(source, part)}
                    for source, part in zip(settings.sources, parts, strict=True)
                ],
                **({"evaluations": sets.figures} if sets.figures else {}),
                **({"corrections": dict(sorted(mended.fates.items()))} if mended.fates else {}),
            },
        ),
    )
    for fate, count in sorted(mended.fates.items()):
        print(f"collect: {count} corrections {FATES[fate]}")
    print(
        f"collect: {len(rows.documents)} documents, {len(rows.examples)} examples, "
        f"{len(rows.preferences)} preferences, {len(refused)} rows could not be read"
    )


def counted(rows: Rows, refused: list[Dropped], unused: Counter[str]) -> list[RowCount]:
    """What came in, what was kept, what was refused, and which opinions (`unused`) make no pair, by kind."""
    counts: list[RowCount] = []
    for kind, kept in rows.by_kind().items():
        reasons = Counter(row.reason for row in refused if row.kind == kind)
        idle = unused if kind == "preference" else Counter[str]()
        entered = len(kept) + reasons.total() + idle.total()
        counts += row_counts(kind, entered, kept=len(kept), dropped=reasons, unused=idle)
    return counts


def _read(source: Source, folder: Path, seed: int) -> Collected:
    match source:
        case PackagesSource():
            return read_packages(source, seed=seed)
        case FileSource() | DatasetSource() | FolderSource() | FeedbackSource() | CorrectionsSource():
            return _read_watched(source, folder)
        case UrlSource() | SqlSource():
            return _read_outside(source)
        case ExtractsSource():
            return read_extracts(source, seed=seed)
        case QueriesSource():
            return read_queries(source, seed=seed)


def _read_outside(source: UrlSource | SqlSource) -> Collected:
    """The rows of a source that is not on this machine; how it is reached, the environment may say."""
    if isinstance(source, SqlSource):
        return read_sql(source, os.environ)
    return read_url(source, cache=Path(os.environ.get("THREEPLY_CACHE", CACHE)))


def _read_watched(
    source: FileSource | DatasetSource | FolderSource | FeedbackSource | CorrectionsSource, folder: Path
) -> Collected:
    """The rows of a source that has its own files, in the folder that DVC watches."""
    match source:
        case FileSource():
            return read_file(source, watched=folder)
        case DatasetSource():
            return read_dataset(source, watched=folder)
        case FolderSource():
            return read_folder(source, watched=folder)
        case FeedbackSource():
            return read_feedback(source, watched=folder)
        case CorrectionsSource():
            return read_corrections(source, watched=folder)
