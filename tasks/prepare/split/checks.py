"""What no split may be: leaking, or empty."""

from collections.abc import Mapping

from tasks.errors import LeakError, SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.assigning import asked_in, groups_of
from tasks.prepare.split.ledger import SplitName
from tasks.rows.identity import PromptKey
from tasks.rows.records import Rows


def check_leaks(splits: Mapping[SplitName, Rows]) -> None:
    """Make sure that no group and no prompt stands in two splits.

    Raises:
        LeakError: one does.
    """
    groups: dict[str, SplitName] = {}
    prompts: dict[PromptKey, SplitName] = {}
    for name, rows in splits.items():
        for key, group in asked_in(rows):
            if groups.setdefault(group, name) != name:
                raise LeakError(f"the group {group!r} stands in {groups[group]} and in {name}")
            if prompts.setdefault(key, name) != name:
                raise LeakError(f"a prompt of the group {group!r} stands in {prompts[key]} and in {name}")


def check_filled(splits: Mapping[SplitName, Rows], settings: SplitSettings) -> None:
    """Make sure that each split that was asked for has an example.

    Raises:
        SourceError: one has none.
    """
    examples = sum(len(rows.examples) for rows in splits.values())
    shares = {"train": 1.0, "validation": settings.validation, "test": settings.test}
    for name, rows in splits.items():
        if examples and shares[name] > 0.0 and not rows.examples:
            groups = sum(len(groups_of(part)) for part in splits.values())
            if settings.by == "time":
                raise SourceError(
                    f"no example fell into the split {name!r}: rows of one time in {settings.time!r} stay "
                    f"together, and those of {groups} groups fill the others; name a column of finer times, "
                    "make their shares smaller, collect more, or set split.by to hash"
                )
            raise SourceError(
                f"no example fell into the split {name!r}: there are only {groups} groups; "
                "give split.salt another value, make its share larger, or collect more"
            )
