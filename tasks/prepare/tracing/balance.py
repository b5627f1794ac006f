"""One table from collected rows to trained tokens, by source and kind; it says where it does not add up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.prepare.tracing.stored import SPLITS, Name, Stored
from tasks.prepare.tracing.taught import NOTHING, taken_by_sft
from tasks.rows.records import RowKind

Key = tuple[str, RowKind]  # a source and a kind
# What may become of a collected row. Documents are searched; what no later stage has taken yet is waiting.
OUTCOMES = ("dropped", "quarantined", "unused", *SPLITS, "searched", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The rows of one kind from one source: how many were collected, and how many met each outcome.

    `reasons` counts those that went no further by stage and reason, most frequent first. Of those in train
    fine-tuning has learned from `trained`, and from so many `tokens` of them (None: it has not run, or does
    not learn from such rows); why not from the others is among the reasons. What it has learned from that no
    source has (general rows that the base model wrote) has a line without collected rows.
    """

    source: str
    kind: RowKind
    collected: int
    outcomes: Counter[str]
    reasons: Mapping[tuple[str, str], int]
    trained: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """All lines, and a sentence for each sum that does not add up (none: every row is accounted for)."""

    lines: tuple[Line, ...]
    faults: tuple[str, ...]


def balance(stored: Stored, lone: Mapping[str, Mapping[str, int]]) -> Balance:
    """What became of every row in `stored`.

    `lone` counts, by source and reason, opinions that make no pair: they were read, and are no rows.
    """
    raw, clean, held = _counted(stored.raw), _counted(stored.clean), _held(stored)
    lost = {stage: Counter((row.source, row.kind) for row in rows) for stage, rows in stored.lost.items()}
    refused, dropped, apart = (lost.get(stage, Counter()) for stage in ("collect", "clean", "split"))
    idle: Counter[Key] = Counter({(name, "preference"): sum(told.values()) for name, told in lone.items()})
    splits = {name: _counted(rows) for name, rows in (stored.splits or {}).items()}
    reasons = _reasons(stored, lone)
    taught = taken_by_sft(stored)
    asked = any(kind == "example" and not took.written for (_, kind), took in taught.items())
    lines: list[Line] = []
    faults: list[str] = []
    counted = (raw, refused, clean, dropped, idle, *splits.values())
    for key in sorted({*taught, *(key for part in counted for key in part)}):
        source, kind = key
        passed = raw[key] if stored.clean is None else clean[key] - held[key]
        placed = {name: part[key] for name, part in splits.items()}
        outcomes = Counter(
            dropped=refused[key] + dropped[key],
            quarantined=held[key],
            unused=idle[key] + apart[key],
            **placed,
        )
        if kind == "document" or stored.splits is None:
            outcomes[_goal(stored, kind)] += passed
        elif passed != (taken := apart[key] + sum(placed.values())):
            faults.append(f"{source}: {passed} {kind}s passed validate, and split accounts for {taken}")
        if stored.clean is not None and raw[key] != (left := clean[key] + dropped[key]):
            faults.append(f"{source}: {raw[key]} {kind}s were read, and clean accounts for {left}")
        mine = taught.get(key, NOTHING if asked and kind == "example" else None)
        if mine and splits and kind == "example" and (missing := mine.fault(splits["train"][key])):
            faults.append(f"{source}: {missing}")
        collected = raw[key] + refused[key] + idle[key]
        told = reasons[key] + (mine.reasons if mine else Counter())
        lines.append(
            Line(
                source=source,
                kind=kind,
                collected=collected,
                outcomes=outcomes,
                reasons=dict(sorted(told.items(), key=lambda item: (-item[1], item[0]))),
                trained=mine.trained if mine else None,
                tokens=mine.tokens if mine else None,
            )
        )
    return Balance(lines=tuple(lines), faults=tuple(faults))


def unpaired(collected: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What `balance` needs of the figures of `collect`: opinions that make no pair, by source and reason."""
    return {part["path"]: part["unpaired"] for part in collected.get("sources", ()) if "unpaired" in part}


def tokens_fault(found: Balance, reported: int | None) -> tuple[str, ...]:
    """That the sources do not add up to the tokens which fine-tuning has `reported`, if they do not."""
    told = _sum(line.tokens for line in found.lines)
    if told is None or reported is None or told == reported:
        return ()
    return (f"the rows have {told} trained tokens, and sft reports {reported}",)


def total(lines: Sequence[Line], kind: RowKind) -> Line:
    """The sum of the lines of one kind."""
    mine = [line for line in lines if line.kind == kind]
    return Line(
        source="all",
        kind=kind,
        collected=sum(line.collected for line in mine),
        outcomes=sum((line.outcomes for line in mine), Counter()),
        reasons={},
        trained=_sum(line.trained for line in mine),
        tokens=_sum(line.tokens for line in mine),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _goal(stored: Stored, kind: RowKind) -> str:
    """Where rows go that no split takes: documents are searched once they are judged."""
    return "searched" if kind == "document" and "validate" in stored.lost else "waiting"


def _counted(names: Iterable[Name] | None) -> Counter[Key]:
    return Counter((name.source, name.kind) for name in names or ())


def _held(stored: Stored) -> Counter[Key]:
    """The clean rows in quarantine: those that share an id are held back together, and each counts."""
    ids = {(row.kind, row.id) for row in stored.lost.get("validate", ())}
    return _counted(name for name in stored.clean or () if (name.kind, name.id) in ids)


def _reasons(
    stored: Stored, lone: Mapping[str, Mapping[str, int]]
) -> defaultdict[Key, Counter[tuple[str, str]]]:
    """How many rows of each source and kind went no further, by stage and reason."""
    found: defaultdict[Key, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in stored.lost_rows():
        found[row.source, row.kind][row.stage, row.reason] += 1
    for source, told in lone.items():
        found[source, "preference"].update({("collect", reason): count for reason, count in told.items()})
    return found
