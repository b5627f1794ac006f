"""The ledger as Markdown: for Prefect, the terminal and README.md."""

from collections.abc import Iterable, Mapping

from tasks.evaluation.ledger import NAMES, Arm, Ledger, Subset, subset_sizes
from tasks.evaluation.sentences import (
    PASSAGE_FOUND,
    forgetting_sentences,
    majority_sentence,
    parity_sentences,
    rule_sentences,
    skip_sentences,
    subset_sentence,
    test_set_sentences,
    verdict_sentences,
)
from tasks.pages.numbers import DASH, decimals, milliseconds, percent

COLUMNS = (
    "score (95 % interval)",
    "abstains rightly",
    "abstains wrongly",
    "valid citations",
    "retention",
    "latency",
)


def ledger_markdown(ledger: Ledger) -> str:
    """The rows as a table with the majority line, the subsets as another, and a sentence for each layer."""
    lines = markdown_table(COLUMNS, {NAMES[name]: _cells(arm) for name, arm in ledger.arms.items()})
    lines += ["", majority_sentence(ledger)]
    if sizes := subset_sizes(ledger):
        rows = {
            NAMES[name]: [_subset_cell(arm.subsets.get(each)) for each in sizes]
            for name, arm in ledger.arms.items()
        }
        if ledger.recalls:
            rows[PASSAGE_FOUND] = [percent(ledger.recalls.get(each)) for each in sizes]
        lines += ["", *markdown_table(sizes, rows), "", subset_sentence(ledger), ""]
    sentences = [
        *test_set_sentences(ledger),
        *verdict_sentences(ledger).values(),
        *rule_sentences(ledger),
        *skip_sentences(ledger),
        *forgetting_sentences(ledger),
        *parity_sentences(ledger),
    ]
    lines += [f"- {text}" for text in sentences]
    return "\n".join(lines) + "\n"


def markdown_table(columns: Iterable[str], rows: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines of a table; `rows` are the cells by what stands before them."""
    head = ["", *(column.replace("|", r"\|") for column in columns)]
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    return lines + [f"| {' | '.join([name, *cells])} |" for name, cells in rows.items()]


def _cells(arm: Arm) -> list[str]:
    return [
        f"{arm.score:.3f} ({arm.low:.3f} to {arm.high:.3f})",
        percent(arm.abstention),
        percent(arm.false_abstention),
        percent(arm.citation_validity),
        decimals(arm.retention),
        milliseconds(arm.latency_ms),
    ]


def _subset_cell(subset: Subset | None) -> str:
    return f"{subset.score:.2f} ({subset.low:.2f} to {subset.high:.2f})" if subset else DASH
