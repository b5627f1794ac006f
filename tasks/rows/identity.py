"""Which prompts are the same, and which things belong together."""

import re
from collections.abc import Iterable, Sequence

from deploy.messages import Message

PromptKey = tuple[tuple[str, str], ...]

_CODE = re.compile(r"(`[^`]*`)")


def prompt_key(messages: Sequence[Message]) -> PromptKey:
    """What makes two prompts the same: roles and words, whatever the blanks and, outside code, the case.

    In backticks the case counts: `m` and `M` are two parameters.
    """
    return tuple((message.role, _folded(message.content)) for message in messages)


def _folded(text: str) -> str:
    if "`" not in text:  # as most texts are, which need not be taken apart
        return " ".join(text.casefold().split())
    parts = _CODE.split(text)
    return " ".join("".join(p if p.startswith("`") else p.casefold() for p in parts).split())


def united(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For every member of a pair the smallest member of its set, where the members of a pair share a set."""
    from scipy.cluster.hierarchy import DisjointSet

    sets = DisjointSet()
    for one, other in pairs:
        sets.add(one)
        sets.add(other)
        sets.merge(one, other)
    firsts = [(min(members), members) for members in sets.subsets()]
    return {member: first for first, members in firsts for member in members}
