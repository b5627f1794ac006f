"""How chosen rows differ from all that could be chosen: lengths, tasks and sources."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tasks.rows.identity import asked_text
from tasks.rows.records import Example

_MEASURES: tuple[tuple[str, Callable[[Example], int]], ...] = (
    ("words of the answer", lambda row: len(row.answer.split())),
    ("words of the question", lambda row: len(asked_text(row.prompt).split())),
    ("turns", lambda row: len(row.messages)),
)
_PARTS: tuple[tuple[str, Callable[[Example], str]], ...] = (
    ("task", lambda row: row.task),
    ("source", lambda row: row.source),
    ("answerable", lambda row: "yes" if row.answerable else "no"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A figure of all rows and of the chosen, a share or a quantile; `name` is such as `task default`."""

    name: str
    of_all: float
    of_chosen: float
    is_share: bool


def differences(rows: Sequence[Example], chosen: Sequence[Example]) -> Iterator[Difference]:
    """Quantiles of the lengths, then the share of each task and source; nothing without rows."""
    if not rows or not chosen:
        return
    for name, measure in _MEASURES:
        for told, share in (("median", 0.5), ("95 %", 0.95)):
            yield Difference(
                name=f"{name}, {told}",
                of_all=_quantile(list(map(measure, rows)), share),
                of_chosen=_quantile(list(map(measure, chosen)), share),
                is_share=False,
            )
    for name, part in _PARTS:
        all_parts, chosen_parts = Counter(map(part, rows)), Counter(map(part, chosen))
        if len(all_parts) > 1:
            for value in sorted(all_parts):
                yield Difference(
                    name=f"{name} {value}",
                    of_all=all_parts[value] / len(rows),
                    of_chosen=chosen_parts[value] / len(chosen),
                    is_share=True,
                )


def _quantile(values: list[int], share: float) -> float:
    """The value that so large a share of the others does not pass."""
    return float(sorted(values)[min(len(values) - 1, int(share * len(values)))])
