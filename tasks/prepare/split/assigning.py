"""Which split each group falls into: that where it was before, else by its name, the salt and the shares."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.pairs import Pair
from tasks.prepare.split.ledger import SPLITS, SplitName, keys_of
from tasks.rows.identity import PromptKey, prompt_key, united
from tasks.rows.records import FOR_VALIDATION, GENERAL_TASK, Example, Preference, Rows


def place(group: str, settings: SplitSettings) -> SplitName:
    """The split of a group: it depends on nothing but its name, the salt and the shares."""
    digest = hashlib.blake2b(f"{settings.salt}|{group}".encode(), digest_size=8).digest()
    where = int.from_bytes(digest, "big") / 2**64
    if where < settings.test:
        return "test"
    return "validation" if where < settings.test + settings.validation else "train"


def unite(rows: Rows, near: Iterable[Pair] = ()) -> Rows:
    """The rows with one group for all that share a group or a prompt, or are near: the first of their names.

    `near` are pairs of what is asked, by its place.
    """
    asked: dict[PromptKey, str] = {}
    same = ((asked.setdefault(key, group), group) for key, group in asked_in(rows))
    all_asked = rows.asked
    alike = ((all_asked[pair.earlier].group, all_asked[pair.later].group) for pair in near)
    groups = united((*same, *alike))
    return Rows.of((*(replace(row, group=groups[row.group]) for row in rows.asked), *rows.documents))


def sides_of(
    rows: Rows,
    settings: SplitSettings,
    placed: Mapping[str, SplitName],
    dated: Mapping[str, SplitName] | None = None,
) -> dict[str, SplitName]:
    """The side of each group: that where it was `placed` before, else where its hash falls.

    `dated` has the side of each group where times decide, and not hashes. Groups with rows of the task
    `general` are for training, those with nothing but rows that are held out for the test stand there.
    """
    replayed = {row.group for row in rows.examples if row.task == GENERAL_TASK}
    not_for_test_alone = {row.group for row in rows.asked if row.held_out in ("", FOR_VALIDATION)}
    where: dict[str, SplitName] = {}
    for group in groups_of(rows):
        decided = place(group, settings) if dated is None else dated[group]
        where[group] = decided if group in not_for_test_alone else "test"
        if group in replayed:
            where[group] = "train"
    return where | {row.group: side for row in rows.asked if (side := placed.get(keys_of(row)[0]))}


def assign(rows: Rows, where: Mapping[str, SplitName]) -> dict[SplitName, Rows]:
    """The examples and preferences of each split, in their old order, by the side of each group."""
    return {
        name: Rows.of(row for row in rows.asked if where[row.group] == name and _may_stand(row, name))
        for name in SPLITS
    }


def _may_stand(row: Example | Preference, split: SplitName) -> bool:
    """Whether a row may be in a split: a held-out one only in the split that asks it."""
    return not row.held_out or split == ("validation" if row.held_out == FOR_VALIDATION else "test")


def asked_in(rows: Rows) -> Iterable[tuple[PromptKey, str]]:
    """The key of each prompt, with its group."""
    yield from ((prompt_key(row.prompt), row.group) for row in rows.asked)


def groups_of(rows: Rows) -> set[str]:
    """The groups of all that is asked."""
    return {row.group for row in rows.asked}
