"""What fine-tuning has learned from: rows of tokens traced back to the rows that they were made of."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.rows.grounding import Grounded
from tasks.rows.records import Example, Learned, LearnedForm
from tasks.rows.reports import RowCount
from tasks.training.tuning.tokens import NO_ROOM, Tokenised, TokenRow

Parts = tuple[Learned, ...]  # the rows that a row of tokens holds, each as if it were learned from once
ENDED = "training ended before it"
# What the report counts rows of each form as. Raw text is counted by its documents, whether reached or not.
_COUNTED: Mapping[LearnedForm, str] = {
    "itself": "example",
    "counterfactual": "counterfactual",
    "companion": "companion",
    "general": "general",
    "text": "",
}


def parts_of(rows: Tokenised) -> list[Parts]:
    """Of each row of tokens the example that it comes from; raw text has its own (`packed_documents`)."""
    return [(_part(grounded, row),) for row, grounded in zip(rows.rows, rows.examples, strict=True)]


def without_room(asked: Iterable[Grounded], kept: Tokenised) -> list[Learned]:
    """Those of the rows `asked` that leave no room for an answer."""
    names = {grounded.example.id for grounded in kept.examples}
    return [_part(each, None) for each in asked if each.example.id not in names]


def left_out(examples: Iterable[Example], chosen: Collection[str], reason: str) -> list[Learned]:
    """The examples that are none of the `chosen` ids."""
    return [
        Learned(id=row.id, kind="example", source=row.source, form="itself", times=0, tokens=0, reason=reason)
        for row in examples
        if row.id not in chosen
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRows:
    """What became of every row: a line for each of its forms, and the counts of the report."""

    lines: list[Learned]
    counts: list[RowCount]


def learned_rows(
    parts: Sequence[Parts],
    order: Sequence[int],
    *,
    others: Iterable[Learned],
    counts: Sequence[RowCount],
) -> LearnedRows:
    """The lines, by id, and the counts, once training has reached the rows of tokens in `order`.

    `others` are in no row of tokens; a form that a row was learned from in has no second line. `counts` take
    every row of tokens for reached: those that were not are unused.
    """
    times = Counter(order)
    found: defaultdict[tuple[str, str, str], list[tuple[Learned, int]]] = defaultdict(list)
    for place, part in enumerate(parts):
        for each in part:
            found[each.kind, each.id, each.form].append((each, times[place]))
    lines = [_summed(counted) for counted in found.values()]
    lines += [each for each in others if (each.kind, each.id, each.form) not in found]
    missed = Counter(_COUNTED[part[0].form] for place, part in enumerate(parts) if not times[place])
    return LearnedRows(
        lines=sorted(lines, key=lambda line: (line.kind, line.id, line.form)),
        counts=[each for count in counts for each in _reached(count, missed[count.kind])],
    )


def _reached(count: RowCount, missed: int) -> list[RowCount]:
    """A count of rows that are trained on, without those that training has not reached."""
    if count.outcome != "trained" or not missed:
        return [count]
    unused = RowCount(kind=count.kind, outcome="unused", count=missed, reason=ENDED)
    return [replace(count, count=count.count - missed), unused]


def _part(grounded: Grounded, row: TokenRow | None) -> Learned:
    example = grounded.example
    return Learned(
        id=grounded.origin or example.id,
        kind="example",
        source=example.source,
        form=grounded.form,
        times=1 if row else 0,
        tokens=row.answer_tokens if row else 0,
        reason="" if row else NO_ROOM,
    )


def _summed(counted: Sequence[tuple[Learned, int]]) -> Learned:
    first, _ = counted[0]
    times = sum(count for _, count in counted)
    return Learned(
        id=first.id,
        kind=first.kind,
        source=first.source,
        form=first.form,
        times=times,
        tokens=sum(each.tokens * count for each, count in counted),
        reason="" if times else ENDED,
    )
