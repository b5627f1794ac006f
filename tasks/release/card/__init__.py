"""Stage `card`: what the data is, where it comes from, what became of it, and how groups in it fare."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from deploy.atomic import write_text
from tasks.evaluation.answers import AnsweredQuestion, read_answers
from tasks.prepare.tracing.balance import balance, tokens_fault, unpaired
from tasks.prepare.tracing.stored import stored_at
from tasks.release.account import account_figures
from tasks.release.card.agreement import agreements
from tasks.release.card.contents import Contents
from tasks.release.card.groups import Groups
from tasks.release.card.markdown import card_markdown
from tasks.release.settings import CardSettings
from tasks.rows.accounting import trained_tokens
from tasks.rows.records import Example, Preference, Rows
from tasks.rows.reports import Report, read_report, write_report
from tasks.rows.tables import FILES, read_shards

SPLITS = ("train", "validation", "test")


def card(
    raw: Path,
    refused: Path,
    kept: Path,
    dropped: Path,
    quarantine: Path,
    splits: Path,
    sft: Path,
    collected: Path,
    cleaned: Path,
    tuned: Path,
    answers: Path,
    *,
    card: Path,
    report: Path,
    settings: CardSettings,
) -> None:
    """Write the data card as Markdown, and its figures: the account of every row, sources, groups, agreement.

    `collected`, `cleaned` and `tuned` are the reports of those stages, `answers` what evaluation has asked.

    Raises:
        SourceError: a table or a report cannot be read.
    """
    lost = {"collect": refused, "clean": dropped, "validate": quarantine, "split": splits / "unused.parquet"}
    stored = stored_at(raw=raw, clean=kept, splits=splits, lost=lost, models={"sft": sft})
    sources = read_report(collected).figures
    whole = balance(stored, unpaired(sources))
    faults = (*whole.faults, *tokens_fault(whole, trained_tokens(read_report(tuned).figures)))
    fewest = settings.smallest_group
    inside, groups = _counted(splits, read_answers(answers), settings)
    figures = {
        "account": account_figures(whole, faults),
        "sources": sources["sources"],
        "contents": inside.figures(),
        "cleaned": read_report(cleaned).figures,
        "groups": {column: each.figures() for column, each in groups.items()},
        "agreement": agreements(_judged(raw, settings.annotator), settings.annotator, fewest=fewest),
    }
    for column, told in figures["groups"].items():
        if not any(told.values()):
            print(f"card: no row has the column {column!r} of card.groups; its source has to `keep` it")
    write_text(card, card_markdown(figures, smallest=settings.smallest_group))
    # What the reports of these stages say stands there.
    own = {name: part for name, part in figures.items() if name not in ("sources", "cleaned")}
    write_report(report, Report(stage="card", figures=own))
    sums = "; ".join(faults) or "every row is accounted for"
    print(f"card: {len(whole.lines)} lines of sources and kinds, {sums}")


def _counted(
    splits: Path, answers: Sequence[AnsweredQuestion], settings: CardSettings
) -> tuple[Contents, dict[str, Groups]]:
    """What stands in the splits, and how the groups of each column fare: one shard is in memory."""
    inside = Contents(SPLITS)
    groups = {name: Groups(name, answers, smallest=settings.smallest_group) for name in settings.groups}
    for name in SPLITS:
        shards = chain[list[Example] | list[Preference]](
            read_shards(splits / name / FILES[Example], Example),
            read_shards(splits / name / FILES[Preference], Preference),
        )
        for rows in shards:
            inside.add(name, rows)
            for each in groups.values():
                each.add(name, rows)
    return inside, groups


def _judged(raw: Path, annotator: str) -> Rows:
    """The rows of which it is told who has judged; no others are in memory together."""
    examples = chain.from_iterable(read_shards(raw / FILES[Example], Example))
    pairs = chain.from_iterable(read_shards(raw / FILES[Preference], Preference))
    return Rows(
        examples=tuple(row for row in examples if row.metadata.get(annotator)),
        preferences=tuple(row for row in pairs if row.metadata.get(annotator)),
        documents=(),
    )
