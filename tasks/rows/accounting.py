"""Row accounting: what became of every row from the first stage to the last trained token."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tasks.rows.reports import Report, RowCount, outcomes, unbalanced

# The stages that count rows, in the order in which rows meet them.
ORDER = (
    "collect", "clean", "validate", "split", "index", "query_encoder", "rerank",
    "knowledge", "sft", "sample", "reward", "rlhf", "evaluate",
)  # fmt: skip
# The rows that one stage keeps are those that the other takes in. Training and evaluation each take their
# share of a split, which the report of the split tells; `index` takes the documents that training has seen.
HANDED_ON = (("collect", "clean"), ("clean", "validate"), ("clean", "split"), ("split", "knowledge"))
COLUMNS = (
    "stage", "rows", "in", "kept", "trained", "dropped", "quarantined", "unused", "truncated", "tokens"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingLine:
    """What one stage did with the rows of one kind: how many met each outcome.

    `reasons` counts the ones that went no further.
    """

    stage: str
    kind: str
    counts: Counter[str]
    tokens: int | None
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """All lines, and a sentence for each sum that does not add up (none: every row is accounted for)."""

    lines: tuple[AccountingLine, ...]
    faults: tuple[str, ...]


def row_accounting(reports: Iterable[Report]) -> Accounting:
    """The row accounting over the reports of a run, in the order of the stages."""
    known = {report.stage: report for report in reports}
    ordered = [known[stage] for stage in ORDER if stage in known]
    lines = [line for report in ordered for line in _lines(report)]
    faults = [f"{report.stage}: {text}" for report in ordered for text in unbalanced(report.rows)]
    return Accounting(lines=tuple(lines), faults=(*faults, *_breaks(lines)))


def accounting_markdown(accounting: Accounting) -> str:
    """The row accounting as a Markdown table, with the reasons of each stage and the sentence on the sums."""
    table = [f"| {' | '.join(COLUMNS)} |", "|---|---|" + "--:|" * (len(COLUMNS) - 2)]
    table += [f"| {' | '.join(cells(line))} |" for line in accounting.lines]
    reasons = [
        f"- {line.stage}, {line.kind}: {reasons_told(line)}" for line in accounting.lines if line.reasons
    ]
    return "\n".join([*table, "", *reasons, "", balance_sentence(accounting.faults)]) + "\n"


def reasons_told(line: AccountingLine) -> str:
    """The reasons of a line with their counts, in words."""
    return ", ".join(f"{reason} {count:,}" for reason, count in line.reasons.items())


def balance_sentence(faults: Sequence[str]) -> str:
    """Whether every row is accounted for, in words; `faults` say where sums do not add up."""
    if faults:
        return "The sums do not add up: " + "; ".join(faults) + "."
    return "Every row is accounted for: the sums of each stage add up, and no row is lost between stages."


def cells(line: AccountingLine) -> list[str]:
    """The line's figures as people read them; an empty cell is a zero."""
    counts = (*(line.counts[name] for name in COLUMNS[3:-1]), line.tokens or 0)
    told = [f"{count:,}" if count else "" for count in counts]
    return [line.stage, line.kind, f"{line.counts['in']:,}", *told]


def _lines(report: Report) -> list[AccountingLine]:
    tokens = trained_tokens(report.figures)
    return [
        AccountingLine(
            stage=report.stage,
            kind=kind,
            counts=counts,
            tokens=tokens if counts["trained"] else None,
            reasons=_reasons(row for row in report.rows if row.kind == kind),
        )
        for kind, counts in outcomes(report.rows).items()
    ]


def trained_tokens(figures: Mapping[str, object]) -> int | None:
    """The tokens that a training stage learned from: those in its loss, or else all that it read."""
    value = figures.get("answer_tokens", figures.get("tokens"))
    return int(value) if isinstance(value, int | float) else None


def _reasons(rows: Iterable[RowCount]) -> dict[str, int]:
    """Why rows went no further, most frequent first."""
    lost = ("dropped", "quarantined", "unused", "truncated")
    counted = [row for row in rows if row.reason and row.count and row.outcome in lost]
    return {row.reason: row.count for row in sorted(counted, key=lambda row: (-row.count, row.reason))}


def _breaks(lines: Iterable[AccountingLine]) -> list[str]:
    """Rows that one stage kept and the next did not take in."""
    found = {(line.stage, line.kind): line.counts for line in lines}
    faults: list[str] = []
    for before, after in HANDED_ON:
        for (stage, kind), counts in found.items():
            taken = found.get((after, kind))
            if stage == before and taken and taken["in"] != counts["kept"]:
                faults.append(f"{before} kept {counts['kept']} {kind}s, but {taken['in']} entered {after}")
    for (stage, kind), counts in found.items():
        judged = found.get(("validate", kind))
        if stage == "split" and judged and judged["quarantined"] != counts["quarantined"]:
            faults.append(
                f"validate put {judged['quarantined']} {kind}s into quarantine, "
                f"but split left out {counts['quarantined']}"
            )
    return faults
