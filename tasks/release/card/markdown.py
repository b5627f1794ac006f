"""The data card as Markdown: front matter as the Hugging Face hub reads it, and what people ask of data.

Names of people who judged are left out: the card goes along with a bundle.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tasks.pages.numbers import DASH, count, in_words, percent, spelled
from tasks.pages.tables import lines
from tasks.prepare.tracing.balance import OUTCOMES, Line, total
from tasks.release.account import read_account
from tasks.release.tables import UNKNOWN, Table, group_tables, source_table
from tasks.rows.tables import KINDS

SIZES = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000), ("100K<n<1M", 1_000_000))
FRONT = "---"


def card_markdown(figures: Mapping[str, Any], *, smallest: int) -> str:
    """The whole card."""
    account, sources = read_account(figures["account"]), source_table(figures["sources"])
    parts = [
        *_front_matter(figures, account.lines),
        "",
        "# Data card",
        "",
        "What the data is that this model was adapted with, made by the run that made the model.",
        "",
        *_section("Sources", table(sources.columns, sources.rows)),
        *_section("What became of the rows", _account(account.lines, account.faults)),
        *_section("What went no further, and why", _reasons(account.lines)),
        *_section("Splits", _splits(figures["contents"])),
        *_section("What cleaning found", _found(figures["cleaned"])),
        *_section("Groups", _groups(figures["groups"], smallest)),
        *_section("Agreement of people", _agreement(figures["agreement"])),
    ]
    return "\n".join(parts).rstrip() + "\n"


def cell(value: object) -> str:
    """A value for a table: on one line, with nothing that Markdown or HTML would read."""
    text = " ".join(str(value).split())
    return re.sub(r"([\\|`*_\[\]])", r"\\\1", text).replace("<", "&lt;").replace(">", "&gt;")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; figures stand on the right. Nothing where there are no rows."""
    told = Table(title="", columns=tuple(head), rows=tuple(tuple(map(cell, row)) for row in rows))
    sides = ["--:" if figures else "---" for figures in told.figures]
    return [f"| {' | '.join(row)} |" for row in (told.columns, sides, *told.rows)] if told.rows else []


def _front_matter(figures: Mapping[str, Any], account: Sequence[Line]) -> Iterator[str]:
    sources = figures["sources"]
    licences = {licence for source in sources for licence in _licences(source)}
    spoken = sorted({name for source in sources for name in source["provenance"]["languages"]})
    rows = sum(total(account, kind).collected for kind in KINDS)
    single = next(iter(licences)) if len(licences) == 1 else ""
    yield FRONT
    yield "pretty_name: Data of a threeply bundle"
    # The hub knows identifiers: several licences, or a name that is none, are another one, told below.
    plain = re.fullmatch(r"[A-Za-z0-9.+-]+", single)
    yield f"license: {UNKNOWN if UNKNOWN in licences else single.lower() if plain else 'other'}"
    codes = [name.lower() for name in spoken if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)?", name)]
    if codes:
        yield "language:"
        yield from (f"- {name}" for name in codes)
    yield "task_categories:"
    yield "- text-generation"
    yield "size_categories:"
    yield f"- {next((name for name, most in SIZES if rows < most), '1M<n<10M')}"
    yield FRONT


def _section(title: str, told: Iterable[str]) -> list[str]:
    found = list(told)
    return [f"## {title}", "", *found, ""] if found else []


def _licences(source: Mapping[str, Any]) -> list[str]:
    return [licence or UNKNOWN for licence in source["provenance"]["licences"].values()] or [UNKNOWN]


def _account(account: Sequence[Line], faults: Sequence[str]) -> Iterator[str]:
    every = [*account, *(total(account, kind) for kind in KINDS)]
    every = [line for line in every if line.collected or line.tokens]
    columns = [name for name in OUTCOMES if any(line.outcomes[name] for line in every)]
    taught = any(line.trained is not None for line in every)
    yield from table(
        ("source", "rows", "collected", *columns, *(("trained on", "tokens") if taught else ())),
        [
            (
                line.source,
                f"{line.kind}s",
                count(line.collected),
                *(count(line.outcomes[name]) for name in columns),
                *((count(line.trained), count(line.tokens)) if taught else ()),
            )
            for line in every
        ],
    )
    yield ""
    if faults:
        yield f"The sums do not add up: {cell('; '.join(faults))}."
    else:
        yield (
            'Every collected row has one of these outcomes; "trained on" are rows of train that fine-tuning '
            "learned from, by so many tokens."
        )


def _reasons(account: Sequence[Line]) -> Iterator[str]:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for line in account:
        for (stage, reason), rows in line.reasons.items():
            found[line.source, line.kind, stage, reason] += rows
    yield from table(
        ("source", "rows", "stage", "reason", "count"),
        [
            (source, f"{kind}s", stage, in_words(reason), count(rows))
            for (source, kind, stage, reason), rows in found.items()
        ],
    )


def _splits(contents: Mapping[str, Any]) -> Iterator[str]:
    columns = ("examples", "preferences", "groups", "unanswerable")
    yield from table(
        ("split", *columns),
        [(name, *(spelled(part[key]) for key in columns)) for name, part in contents["splits"].items()],
    )
    yield ""
    for title, key in (("Kinds of question", "tasks"), ("Who judged the preferences", "labels")):
        if told := contents[key]:
            yield f"{title}: {', '.join(f'{cell(name)} {count:,}' for name, count in told.items())}."
            yield ""
    if contents["answer_words"] is not None:
        yield (
            f"A question has {spelled(contents['question_words'])} words in the median, an answer "
            f"{spelled(contents['answer_words'])}."
        )


def _found(cleaned: Mapping[str, Any]) -> Iterator[str]:
    """What was repaired, redacted and judged; the quantiles of signals are for who cleans, and fill pages."""
    own = {name: told for name, told in cleaned.items() if name != "signals"}
    yield from table(("figure", "value"), [(in_words(name), value) for name, value in lines(own)])


def _groups(groups: Mapping[str, Any], smallest: int) -> Iterator[str]:
    for column, told in groups.items():
        tables = group_tables(told)
        yield f"### {cell(column)}"
        yield ""
        if not tables:
            yield "No row tells of it."
            yield ""
        for each in tables:
            yield from table(each.columns, each.rows)
            yield ""
    if groups:
        yield (
            f"With Wilson's 95 % intervals. A dash: fewer than {smallest} rows, too few to say anything of. "
            "That intervals overlap does not show that groups are treated alike."
        )


def _agreement(told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from table(
        ("source", "rows", "people", "judged", "by several", "agree", "alpha", "kappa of two people"),
        [
            (
                each["source"],
                f"{each['kind']}s",
                spelled(each["people"]),
                spelled(each["judged"]),
                spelled(each["judged_by_several"]),
                percent(each["agreement"]),
                spelled(each["alpha"]),
                _kappas(each["kappas"]),
            )
            for each in told
        ],
    )
    if told:
        yield ""
        yield (
            "Krippendorff's alpha is 1 where all agree and 0 where they agree as chance would have it; "
            "above 0.8 labels are commonly held for reliable, below 0.67 not."
        )


def _kappas(told: Sequence[Mapping[str, Any]]) -> str:
    known = [each["kappa"] for each in told if each["kappa"] is not None]
    if not known:
        return DASH
    return spelled(known[0]) if len(known) == 1 else f"{spelled(min(known))} to {spelled(max(known))}"
