"""Access tags: who sees a document. One without any is open to whoever may ask."""

import re
from collections.abc import Collection, Sequence

from deploy.errors import SettingsError

TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # of a document, and of the keys that see it
WANTED = "a tag of a-z, 0-9, - and _, at most 40 characters"
Held = Collection[str] | None  # the tags that somebody holds; None sees all


def is_open(tags: Collection[str], held: Held) -> bool:
    """Whether whoever holds the tags `held` sees a document with `tags`: it has none, or one of them."""
    return held is None or not tags or any(tag in held for tag in tags)


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """These tags, each once, in order.

    Raises:
        SettingsError: one of them is none.
    """
    for tag in tags:
        if not TAG.fullmatch(tag):
            raise SettingsError(f"{tag!r} is wrong; it should be {WANTED}")
    return tuple(sorted(set(tags)))
