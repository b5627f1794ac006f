"""Collect, clean, validate and gate on one file alone, in memory: what a run would say of it.

What only all sources together show comes from the last run, where there was one: documents that rows may name
as their evidence, how many rows the other sources have, and what the rows were like that the gate let pass.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.prepare.clean import counted as cleaned_counts
from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.collect import by_reason
from tasks.prepare.collect import counted as collected_counts
from tasks.prepare.collect.addresses import by_id
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.own import check_own
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.gate import Check
from tasks.prepare.gate import judged as gate_checks
from tasks.prepare.validate.drift import compare
from tasks.prepare.validate.figures import figures
from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.findings import counted as validated_counts
from tasks.prepare.validate.profile import Profile, profile
from tasks.prepare.validate.suites import check
from tasks.prepare.validate.tables import InMemory
from tasks.prepare.validate_settings import GateSettings, ValidateSettings
from tasks.rows.records import Document, Dropped, Example, Preference, Row, RowKind, Rows
from tasks.rows.reports import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the other sources had in the last run: their rows, and how many of each kind they collected.

    `accepted` is the profile of the rows that the gate let pass last, and `made_with` stands for the settings
    that rows are made with now. `known` is False where there was no run.
    """

    rows: Rows
    counts: Mapping[RowKind, int]
    known: bool
    accepted: Profile | None = None
    made_with: str = ""


ALONE = Beside(rows=Rows.of(()), counts={}, known=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of a file: its rows, those that went no further, what was expected, and what the gate says.

    `unknown` counts rows that name documents of which none is known here, and `compared` says what the rows
    were compared with.
    """

    rows: Rows
    lost: tuple[Dropped, ...]
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
    watched: Path,
) -> Rehearsal:
    """What a run would make of the rows of `source`.

    Expectations about kinds of rows that the file does not have are left aside.

    Raises:
        SourceError: the file cannot be read at all, or is a test set that contradicts itself.
    """
    collected = in_memory(read_file(source, watched=watched))
    rows, named, unknown = _with_evidence(collected.rows, beside)
    check_own(rows)
    result = clean_rows(Rows.of((*_all(rows), *named)), clean)
    verdict = replace(result, rows=_without(result.rows, named), dropped=_of(result.dropped, rows))
    whole = Rows.of((*_all(verdict.rows), *named))
    everything = Rows.of((*_all(verdict.rows), *_all(beside.rows)))
    today = profile(InMemory(everything), made_with=beside.made_with)
    comparison = compare(beside.accepted, today, validate.drift)
    judged = check(InMemory(whole), _least(validate, beside), comparison)
    findings = [finding for finding in judged.findings if rows.by_kind()[finding.table]]
    held = _of((row for row in judged.quarantine.lines() if rows.by_kind()[row.kind]), rows)
    reports = (
        Report(
            stage="collect",
            rows=collected_counts(_counts(rows), by_reason(collected.dropped), Counter()),
        ),
        Report(
            stage="clean",
            rows=cleaned_counts(_counts(rows), _counts(verdict.rows), by_reason(verdict.dropped)),
        ),
        Report(
            stage="validate",
            rows=validated_counts(_counts(verdict.rows), _held_by_reason(verdict.rows, held)),
            figures=figures(findings, comparison),
        ),
    )
    return Rehearsal(
        rows=rows,
        lost=(*collected.dropped, *verdict.dropped, *held),
        repaired=verdict.repaired,
        unmet=tuple(finding for finding in findings if not finding.passed),
        checks=tuple(gate_checks(*reports, gate)),
        unknown=unknown,
        compared=comparison.told,
    )


def _counts(rows: Rows) -> dict[RowKind, int]:
    return {kind: len(part) for kind, part in rows.by_kind().items()}


def _held_by_reason(rows: Rows, held: Iterable[Dropped]) -> dict[RowKind, Counter[str]]:
    """How many rows are held back, by reason: of rows that share an id each one counts."""
    reasons = {(row.kind, row.id): row.reason for row in held}
    return {
        kind: Counter(reasons[kind, row.id] for row in part if (kind, row.id) in reasons)
        for kind, part in rows.by_kind().items()
    }


def _with_evidence(rows: Rows, beside: Beside) -> tuple[Rows, tuple[Document, ...], int]:
    """The rows with ids of documents as evidence, the documents of other sources among these, and a count.

    It is that of rows that name a document which nobody knows: where there was no run, they go without it.
    """
    resolved = by_id(Rows.of((*_all(rows), *beside.rows.documents)))
    own = replace(resolved, documents=rows.documents)
    names = {name for row in own.asked for name in (*row.evidence, *row.withheld)}
    mine = {document.id for document in rows.documents}
    named = tuple(row for row in beside.rows.documents if row.id in names and row.id not in mine)
    known = mine | {row.id for row in named}
    if beside.known or names <= known:
        return own, named, 0
    stripped = [_stripped(row, known) for row in own.asked]
    return (
        Rows.of((*stripped, *own.documents)),
        named,
        sum(a != b for a, b in zip(own.asked, stripped, strict=True)),
    )


def _stripped(row: Example | Preference, known: Container[str]) -> Example | Preference:
    evidence, withheld = (
        tuple(name for name in names if name in known) for names in (row.evidence, row.withheld)
    )
    return replace(row, evidence=evidence, withheld=withheld, quote=row.quote if evidence else "")


def _least(settings: ValidateSettings, beside: Beside) -> ValidateSettings:
    """The bounds on the number of rows, less what the other sources have."""
    fields = {
        f"min_{kind}s": max(getattr(settings, f"min_{kind}s") - count, 0)
        for kind, count in beside.counts.items()
    }
    return settings.model_copy(update=fields)


def _all(rows: Rows) -> Iterator[Row]:
    return (row for part in rows.by_kind().values() for row in part)


def _without(rows: Rows, documents: Iterable[Document]) -> Rows:
    """The rows without the `documents` of other sources."""
    others = {(row.id, row.source) for row in documents}
    return replace(rows, documents=tuple(row for row in rows.documents if (row.id, row.source) not in others))


def _of(lost: Iterable[Dropped], rows: Rows) -> tuple[Dropped, ...]:
    """Those of the lost rows that come from the sources of `rows`."""
    sources = {row.source for row in _all(rows)}
    return tuple(row for row in lost if row.source in sources)
