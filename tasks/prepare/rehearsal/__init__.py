"""Collect, clean, validate and gate on one file alone, shard by shard: what a run would say of it.

What only all sources together show comes from the last run, where there was one: documents that rows may name
as their evidence, how many rows the other sources have, and what the rows were like that the gate let pass.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tasks.machine.executors import executing
from tasks.machine.settings import ParallelSettings
from tasks.prepare.clean import counted as cleaned_counts
from tasks.prepare.clean.outputs import counted_in, write_dropped, write_kept
from tasks.prepare.clean.plan import RAW
from tasks.prepare.clean.steps import STEPS
from tasks.prepare.clean.stored import Work, carry_out
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.collect import by_reason, lost_rows
from tasks.prepare.collect import counted as collected_counts
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.parts import Part, Parts
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.gate import Check
from tasks.prepare.gate import judged as gate_checks
from tasks.prepare.rehearsal.beside import Beside, entered
from tasks.prepare.rehearsal.lost import Lost, Lot, gathered, texts_of
from tasks.prepare.validate.drift import compare
from tasks.prepare.validate.figures import figures
from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.findings import counted as validated_counts
from tasks.prepare.validate.profile import profile
from tasks.prepare.validate.selected import Several, of_source
from tasks.prepare.validate.suites import check
from tasks.prepare.validate.tables import InFolder, Tables
from tasks.prepare.validate_settings import GateSettings, ValidateSettings
from tasks.rows.records import Dropped, RowKind
from tasks.rows.reports import Report
from tasks.rows.tables import KINDS, read_shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of a file: how many rows it has, what went no further, what was expected, what the gate says.

    `lost` has the rows that went no further, by stage, kind and reason, and `texts` how those begin that are
    named there, by kind and id. `unknown` counts rows that name documents of which none is known here, and
    `compared` says what the rows were compared with.
    """

    rows: Mapping[RowKind, int]
    lost: Mapping[Lot, Lost]
    texts: Mapping[tuple[RowKind, str], str]
    repaired: Counter[str]
    unmet: tuple[Finding, ...]
    checks: tuple[Check, ...]
    unknown: int
    compared: str

    @property
    def passed(self) -> bool:
        """Whether the gate would let the rows pass."""
        return all(check.passed for check in self.checks)


def rehearse(
    source: FileSource,
    beside: Beside,
    *,
    clean: CleanSettings,
    validate: ValidateSettings,
    gate: GateSettings,
    parallel: ParallelSettings,
    watched: Path,
    work: Path,
) -> Rehearsal:
    """What a run would make of the rows of `source`, which lie in the folder `work` on their way.

    Expectations about kinds of rows that the file does not have are left aside.

    Raises:
        SourceError: the file cannot be read at all, or is a test set that contradicts itself.
    """
    own = beside.own
    parts = _read(source, watched=watched, work=work)
    came = entered(parts, beside, raw=work / "raw")
    made = Work(work / "raw", work / "clean")
    sizes = [len(made.table(kind, RAW).sizes) for kind in KINDS]
    with executing(parallel, shards=max(sizes)) as executor:
        passes = carry_out([STEPS[name] for name in clean.steps], made, executor, clean)
        write_kept(work / "kept", made, passes)
        kept = of_source(InFolder(work / "kept"), own)
        everything = Several((kept, beside.others))
        comparison = compare(beside.accepted, profile(everything, made_with=beside.made_with), validate.drift)
        whole = Several((kept, came.named))
        judged = check(whole, _least(validate, beside), comparison, executor=executor)
    findings = [finding for finding in judged.findings if came.rows[finding.table]]
    write_dropped(work / "dropped.parquet", made, passes)

    def dropped() -> Iterator[Dropped]:
        return _of(own, chain.from_iterable(read_shards(work / "dropped.parquet", Dropped)))

    foreign = by_reason(row for row in judged.quarantine.lines() if row.source != own)
    held = {kind: told - foreign[kind] for kind, told in judged.quarantine.counts().items()}
    refused, _ = lost_rows(parts)
    reports = (
        Report(stage="collect", rows=collected_counts(came.rows, refused, Counter())),
        Report(stage="clean", rows=cleaned_counts(came.rows, _counts(kept), by_reason(dropped()))),
        Report(
            stage="validate",
            rows=validated_counts(_counts(kept), held),
            figures=figures(findings, comparison),
        ),
    )
    unread = chain.from_iterable(part.dropped() for part in parts)
    lost = gathered(chain(unread, dropped(), _of(own, judged.quarantine.lines())))
    return Rehearsal(
        rows=came.rows,
        lost=lost,
        texts=texts_of(lost, work / "raw"),
        repaired=counted_in(made, passes).repaired,
        unmet=tuple(finding for finding in findings if not finding.passed),
        checks=tuple(gate_checks(*reports, gate)),
        unknown=came.unknown,
        compared=comparison.told,
    )


def _read(source: FileSource, *, watched: Path, work: Path) -> list[Part]:
    """What the pieces of the file give."""
    given = read_file(source, watched=watched)
    known = Parts(work / "parts", work, "")
    parts = [known.part(piece) for piece in given.pieces]
    given.finish([part.note for part in parts])
    return parts


def _counts(tables: Tables) -> dict[RowKind, int]:
    return {kind: sum(tables.sizes(kind)) for kind in KINDS}


def _of(own: str, lost: Iterable[Dropped]) -> Iterator[Dropped]:
    """Those of the lost rows that are of the file."""
    return (row for row in lost if row.source == own)


def _least(settings: ValidateSettings, beside: Beside) -> ValidateSettings:
    """The bounds on the number of rows, less what the other sources have."""
    fields = {
        f"min_{kind}s": max(getattr(settings, f"min_{kind}s") - count, 0)
        for kind, count in beside.counts.items()
    }
    return settings.model_copy(update=fields)
