"""Stage `split`: train, validation and test, by hash of the group, so that nothing leaks and nothing moves.

A group falls where BLAKE2b(salt|group) / 2^64 falls among the shares. More data moves no old row, with one
exception: where a new row has the same prompt as rows of two groups, these become one, and the group whose
name sorts first takes the other along. Groups with rows of the task `general` are all for training: they are
replayed, never asked. Held-out rows (`held_out`) stay in the split that may ask them and leave every
other; a group that has none but such rows for the test stands there whole.

Test sets of the user's own (files that are held out) stand in the test whole, and move nothing: rows of train
and validation that are like one of their questions, or of its group, are taken out and told.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tasks.errors import GateError, LeakError, SourceError
from tasks.prepare.decontamination import Asked, Taken, contaminated, row_key, taken_by_name
from tasks.prepare.seen import drift, seen_before
from tasks.prepare.settings import KnowledgeSettings, SplitSettings
from tasks.rows.held_out import own_name, versions
from tasks.rows.identity import PromptKey, prompt_key, united
from tasks.rows.records import FOR_VALIDATION, GENERAL_TASK, Document, Dropped, Example, Preference, Rows
from tasks.rows.reports import Report, RowCount, read_report, row_counts, write_report
from tasks.rows.tables import FILES, read_rows, read_table, write_table

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
APART = "held out, and not in the split that asks it"
UNUSED = "unused.parquet"


def split(
    rows: Path,
    quarantine: Path,
    gate: Path,
    *,
    splits: Path,
    report: Path,
    before: Path | None,
    settings: SplitSettings,
    knowledge: KnowledgeSettings,
) -> None:
    """Divide the rows that are not quarantined; documents stay whole, they are knowledge, not questions.

    The documents beside the rows are those that training and evaluation see (`tasks.prepare.seen`).

    Raises:
        GateError: the gate did not let the data pass.
        LeakError: a group or a prompt would stand in two splits.
        SourceError: a split that was asked for has no example.
    """
    _passed(gate)
    everything = read_rows(rows)
    held = {(row.kind, row.id) for row in read_table(quarantine, Dropped)}
    kept = Rows.of(
        row for kind, part in everything.by_kind().items() for row in part if (kind, row.id) not in held
    )
    own = [row for row in kept.asked if own_name(row)]
    others = Rows.of(row for row in kept.asked if not own_name(row))
    grouped = unite(others)
    assigned = assign(grouped, settings)
    trained = (*assigned["train"].asked, *assigned["validation"].asked)
    groups = {row_key(row): row.group for row in others.asked}
    taken = contaminated(trained, own, groups, near=settings.near)
    placed = _placed(assigned, taken, own)
    check_leaks(placed)
    _check_filled(placed, settings)
    for name, part in placed.items():
        write_table(splits / name / FILES[Example], Example, part.examples)
        write_table(splits / name / FILES[Preference], Preference, part.preferences)
        print(f"split: {name} has {len(part.examples)} examples, {len(part.preferences)} preferences")
    unused = _unused(kept, placed, taken)
    write_table(splits / UNUSED, Dropped, unused)
    seen = seen_before(before, splits, kept.documents, most=knowledge.max_drift)
    if seen is not None:
        shutil.copyfile(seen, splits / FILES[Document])
        differ = drift(read_table(seen, Document), kept.documents)
        print(f"split: training saw other documents ({differ.told}): it stays as it is, and they are served")
    else:
        write_table(splits / FILES[Document], Document, kept.documents)
    if own:
        print(f"split: {len(taken)} rows are not trained on, for {len(own)} held-out questions of your own")
    figures = _figures(others, grouped, placed) | {
        "held_out": versions(placed["test"].examples),
        "decontaminated": taken_by_name(taken),
        "documents_of_before": seen is not None,
    }
    write_report(report, Report(stage="split", rows=_counted(everything, kept, unused), figures=figures))


def place(group: str, settings: SplitSettings) -> SplitName:
    """The split of a group: it depends on nothing but its name, the salt and the shares."""
    digest = hashlib.blake2b(f"{settings.salt}|{group}".encode(), digest_size=8).digest()
    where = int.from_bytes(digest, "big") / 2**64
    if where < settings.test:
        return "test"
    return "validation" if where < settings.test + settings.validation else "train"


def unite(rows: Rows) -> Rows:
    """The rows with one group for all that share a group or a prompt: the first of their names."""
    asked: dict[PromptKey, str] = {}
    groups = united((asked.setdefault(key, group), group) for key, group in _asked(rows))
    return Rows.of((*(replace(row, group=groups[row.group]) for row in rows.asked), *rows.documents))


def assign(rows: Rows, settings: SplitSettings) -> dict[SplitName, Rows]:
    """The examples and preferences of each split, in their old order."""
    replayed = {row.group for row in rows.examples if row.task == GENERAL_TASK}
    not_for_test_alone = {row.group for row in rows.asked if row.held_out in ("", FOR_VALIDATION)}
    where: dict[str, SplitName] = {}
    for group in _groups(rows):
        where[group] = place(group, settings) if group in not_for_test_alone else "test"
        if group in replayed:
            where[group] = "train"
    return {
        name: Rows.of(row for row in rows.asked if where[row.group] == name and _may_stand(row, name))
        for name in SPLITS
    }


def _may_stand(row: Example | Preference, split: SplitName) -> bool:
    """Whether a row may be in a split: a held-out one only in the split that asks it."""
    return not row.held_out or split == ("validation" if row.held_out == FOR_VALIDATION else "test")


def _placed(
    splits: Mapping[SplitName, Rows], taken: Sequence[Taken], own: Sequence[Asked]
) -> dict[SplitName, Rows]:
    """The splits without what is taken out, and with all of the test sets in the test."""
    gone = {row_key(each.row) for each in taken}
    left = {
        name: Rows.of(row for row in rows.asked if row_key(row) not in gone) for name, rows in splits.items()
    }
    return left | {"test": Rows.of((*left["test"].asked, *own))}


def check_leaks(splits: Mapping[SplitName, Rows]) -> None:
    """Make sure that no group and no prompt stands in two splits.

    Raises:
        LeakError: one does.
    """
    groups: dict[str, SplitName] = {}
    prompts: dict[PromptKey, SplitName] = {}
    for name, rows in splits.items():
        for key, group in _asked(rows):
            if groups.setdefault(group, name) != name:
                raise LeakError(f"the group {group!r} stands in {groups[group]} and in {name}")
            if prompts.setdefault(key, name) != name:
                raise LeakError(f"a prompt of the group {group!r} stands in {prompts[key]} and in {name}")


def _asked(rows: Rows) -> Iterable[tuple[PromptKey, str]]:
    """The key of each prompt, with its group."""
    yield from ((prompt_key(row.prompt), row.group) for row in rows.asked)


def _passed(gate: Path) -> None:
    """Refuse data that the gate held; `dvc repro` stops before, a stage run by hand would not."""
    if not read_report(gate).figures.get("passed"):
        raise GateError(f"the gate did not let these rows pass; {gate} says why")


def _check_filled(splits: Mapping[SplitName, Rows], settings: SplitSettings) -> None:
    examples = sum(len(rows.examples) for rows in splits.values())
    shares = {"train": 1.0, "validation": settings.validation, "test": settings.test}
    for name, rows in splits.items():
        if examples and shares[name] > 0.0 and not rows.examples:
            groups = sum(len(_groups(part)) for part in splits.values())
            raise SourceError(
                f"no example fell into the split {name!r}: there are only {groups} groups; "
                "give split.salt another value, make its share larger, or collect more"
            )


def _unused(kept: Rows, placed: Mapping[SplitName, Rows], taken: Sequence[Taken]) -> list[Dropped]:
    """Each row that stands in no split, and why, in the order of the rows."""
    standing = {row_key(row) for rows in placed.values() for row in rows.asked}
    causes = {row_key(each.row): (each.reason, each.told()) for each in taken}
    unused: list[Dropped] = []
    for row in kept.asked:
        if (key := row_key(row)) not in standing:
            reason, detail = causes.get(key, (APART, row.held_out))
            unused.append(
                Dropped(
                    id=row.id, kind=key[0], source=row.source, stage="split", reason=reason, detail=detail
                )
            )
    return unused


def _counted(before: Rows, after: Rows, unused: Sequence[Dropped]) -> list[RowCount]:
    counts: list[RowCount] = []
    went = after.by_kind()
    for kind, came in before.by_kind().items():
        lost = len(came) - len(went[kind])
        reasons = Counter(row.reason for row in unused if row.kind == kind)
        counts += row_counts(
            kind,
            len(came),
            kept=len(went[kind]) - reasons.total(),
            quarantined={"validate": lost},
            unused=reasons,
        )
    return counts


def _figures(kept: Rows, united: Rows, splits: Mapping[SplitName, Rows]) -> dict[str, Any]:
    return {
        "splits": {
            name: {
                "examples": len(rows.examples),
                "preferences": len(rows.preferences),
                "groups": len(_groups(rows)),
                "tasks": dict(sorted(Counter(row.task for row in rows.examples).items())),
                "held_out": dict(
                    sorted(Counter(row.held_out for row in rows.examples if row.held_out).items())
                ),
                "flaws": dict(sorted(Counter(row.flaw or "unknown" for row in rows.preferences).items())),
            }
            for name, rows in splits.items()
        },
        "groups": len(_groups(kept)),
        "groups_united": len(_groups(kept)) - len(_groups(united)),
    }


def _groups(rows: Rows) -> set[str]:
    return {row.group for row in rows.asked}
