"""What fine-tuning took from the rows of its split, by source and kind, and why not from the others."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.prepare.tracing.stored import Stored
from tasks.rows.records import BY_MODEL, Learned, RowKind

_SAID = {
    "itself": "as it is",
    "counterfactual": "with its evidence hidden",
    "companion": "over the sources of others",
    "general": "as a general row",
    "text": "as text",
    "sampled": "by answers that were sampled to it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Of the rows of one source and kind how many were learned from, by how many tokens.

    `untrained` are those that were not, whose `reasons` are counted by stage and reason; `written` says that
    no source has them.
    """

    trained: int
    tokens: int
    untrained: int
    reasons: Counter[tuple[str, str]]
    written: bool

    def fault(self, in_train: int) -> str:
        """That these are not the examples in train; empty where they are."""
        told = self.trained + self.untrained
        if self.written or told == in_train:
            return ""
        return f"train has {in_train} examples, and sft accounts for {told}"


NOTHING = Taken(trained=0, tokens=0, untrained=0, reasons=Counter(), written=False)


def taken_by_sft(stored: Stored) -> dict[tuple[str, RowKind], Taken]:
    """What fine-tuning has taken, by source and kind; nothing where it has not run."""
    by_row: defaultdict[tuple[str, RowKind], defaultdict[str, list[Learned]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for line in stored.learned.get("sft", ()):
        by_row[line.source, line.kind][line.id].append(line)
    return {key: _taken(key[0], rows.values()) for key, rows in by_row.items()}


def _taken(source: str, rows: Iterable[list[Learned]]) -> Taken:
    whole = list(rows)
    idle = [lines for lines in whole if not any(line.times for line in lines)]
    return Taken(
        trained=len(whole) - len(idle),
        tokens=sum(line.tokens for lines in whole for line in lines),
        untrained=len(idle),
        reasons=Counter(("sft", lines[0].reason) for lines in idle),
        written=source == BY_MODEL,
    )


def learned_from(lines: Iterable[Learned]) -> list[str]:
    """How often and by how many tokens a row was learned from, in words, for each form that was."""
    return [
        f"{_SAID[line.form]}, {line.times:,} time{'s' if line.times > 1 else ''}"
        + (f", {line.tokens:,} tokens" if line.tokens else "")
        for line in lines
        if line.times
    ]
