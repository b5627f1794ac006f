"""The account by source for the page: the pictures of its flow, and a table that adds up."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.pages.numbers import count, in_words
from tasks.prepare.tracing.balance import OUTCOMES, Line, total
from tasks.release.account import read_account
from tasks.release.report.flow import BAR, WIDTH, Flow, flows
from tasks.rows.tables import KINDS

STAGES = ("collect", "clean", "validate", "split", "sft")  # in which rows meet them


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """A line of the table, or the total of a kind."""

    source: str
    kind: str
    cells: tuple[str, ...]
    why: str
    total: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the page shows of the account; `faults` is empty where everything adds up."""

    pictures: tuple[Flow, ...]
    columns: tuple[str, ...]
    lines: tuple[AccountLine, ...]
    faults: tuple[str, ...]
    width: int = WIDTH
    bar: int = BAR


def account(figures: Mapping[str, Any] | None) -> Account | None:
    """The account that the stage `card` has reported; None where it has not run."""
    if figures is None:
        return None
    found = read_account(figures["account"])
    sums = [total(found.lines, kind) for kind in KINDS]
    shown = [*found.lines, *(line for line in sums if line.collected)]
    named = tuple(name for name in OUTCOMES if any(line.outcomes[name] for line in shown))
    taught = any(line.trained is not None for line in shown)
    return Account(
        pictures=tuple(flows(found.lines)),
        columns=("source", "rows", "collected", *named, *(("trained on", "tokens") if taught else ())),
        lines=tuple(_line(line, named, taught=taught, whole=line in sums) for line in shown),
        faults=found.faults,
    )


def _line(line: Line, named: tuple[str, ...], *, taught: bool, whole: bool) -> AccountLine:
    counts = [line.collected, *(line.outcomes[name] for name in named)]
    counts += [line.trained or 0, line.tokens or 0] if taught else []
    return AccountLine(
        source=line.source,
        kind=line.kind,
        cells=tuple(map(count, counts)),
        why="; ".join(_reasons(line)),
        total=whole,
    )


def _reasons(line: Line) -> list[str]:
    """The reasons of each stage, in the order of the chain."""
    by_stage: defaultdict[str, list[str]] = defaultdict(list)
    for (stage, reason), rows in line.reasons.items():
        by_stage[stage].append(f"{in_words(reason)} {rows:,}")
    return [f"{stage}: {', '.join(told)}" for stage, told in sorted(by_stage.items(), key=_place)]


def _place(told: tuple[str, list[str]]) -> int:
    return STAGES.index(told[0])
