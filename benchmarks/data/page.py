"""The figures of the dirty set as tables for docs/cleaning.md."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.evaluation.markdown import markdown_table
from tasks.pages.numbers import DASH, decimals

_MOST = 3  # things that a line tells to have become of rows; the others are added up
_COPIES = {"exact_duplicate": "exact duplicates", "near_duplicate": "near duplicates"}


def tables(counts: Mapping[str, Any], *, kinds: bool = True) -> str:
    """What was planted and found (with `kinds` of each kind), what clean rows met, what reasons are worth."""
    head = ["planted", "found", "recall", "still trained on", "what became of them"]
    clean = {_named(kind): _clean(some) for kind, some in sorted(counts["clean"].items(), key=_plain_first)}
    lines = [
        *markdown_table(head, dict(_faults(counts["faults"], kinds=kinds))),
        "",
        "Clean rows, and those that only look like a fault:",
        "",
        *markdown_table(["rows", "lost", "altered", "why"], clean),
        "",
        "Each reason for which rows went, and what had been planted in them:",
        "",
        *markdown_table(["rows", "precision", "planted"], dict(_reasons(counts["reasons"]))),
        "",
        *_sums(counts),
    ]
    return "\n".join(lines) + "\n"


def _faults(
    faults: Mapping[str, Mapping[str, Mapping[str, int]]], *, kinds: bool
) -> Iterator[tuple[str, list[str]]]:
    """A row for each fault, and below it one for each of its kinds."""
    for fault, parts in sorted(faults.items()):
        whole: Counter[str] = Counter()
        for some in parts.values():
            whole.update(some)
        yield f"**{_named(fault)}**" if kinds else _named(fault), _cells(whole)
        for kind, some in parts.items() if kinds else ():
            yield f"{_named(fault)}: {_named(kind)}", _cells(some)


def _cells(some: Mapping[str, int]) -> list[str]:
    return [
        f"{some['planted']:,}",
        f"{some['found']:,}",
        decimals(some["found"] / some["planted"] if some["planted"] else None),
        f"{some['trained']:,}",
        _became(some),
    ]


def _clean(some: Mapping[str, int]) -> list[str]:
    return [f"{some['rows']:,}", f"{some['lost']:,}", f"{some['altered']:,}", _became(some)]


def _became(some: Mapping[str, int]) -> str:
    """The commonest things that became of rows, with how many."""
    told = Counter({name[2:]: count for name, count in some.items() if name.startswith("> ")})
    parts = [f"{name} {count:,}" for name, count in told.most_common(_MOST)]
    rest = told.total() - sum(count for _, count in told.most_common(_MOST))
    return ", ".join([*parts, f"other {rest:,}"] if rest else parts) or DASH


def _reasons(reasons: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, list[str]]]:
    for reason, planted in sorted(reasons.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        rows = sum(planted.values())
        parts = [f"{_named(fault)} {count:,}" for fault, count in Counter(planted).most_common()]
        told = ", ".join(part.replace("none", "nothing") for part in parts)
        yield reason, [f"{rows:,}", f"{1 - planted.get('none', 0) / rows:.3f}", told]


def _sums(counts: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on pairs of copies, and on where all lines have gone."""
    for fault, name in _COPIES.items():
        pairs = counts["pairs"][fault]
        yield (
            f"- Of {pairs['planted']:,} {name} {pairs['left']:,} stay beside what they copy, "
            f"{pairs['apart']:,} of them on another side of the split."
        )
    lines = counts["lines"]
    gone = {name: count for name, count in lines.items() if name.startswith("dropped by ")}
    stand = {name: lines.get(name, 0) for name in ("train", "validation", "test")}
    told = ", ".join(f"{name} {count:,}" for name, count in [*stand.items(), *gone.items()])
    wrong = [
        *([f"{lines['without']:,} went without a reason"] if lines["without"] else []),
        *([f"{lines['twice']:,} are told twice"] if lines["twice"] else []),
        *(["the counts in the reports do not add up"] if counts["unbalanced"] else []),
    ]
    yield (
        f"- Of {lines['lines']:,} lines {lines['collected']:,} were collected, the others told with their "
        f"reason; in the end: {told}. {'; '.join(wrong) or 'Each line has one fate, and all counts add up'}."
    )


def _plain_first(item: tuple[str, Any]) -> tuple[bool, str]:
    return item[0] != "plain", item[0]


def _named(name: str) -> str:
    return name.replace("_", " ")
