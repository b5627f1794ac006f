"""Which texts and prompts are the same, what a prompt asks, and which things belong together."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from deploy.messages import Message

PromptKey = tuple[tuple[str, str], ...]

_CODE = re.compile(r"(`[^`]*`)")


def prompt_key(messages: Sequence[Message]) -> PromptKey:
    """What makes two prompts the same: roles and words, whatever the blanks and, outside code, the case.

    In backticks the case counts: `m` and `M` are two parameters.
    """
    return tuple((message.role, _folded_around_code(message.content)) for message in messages)


def folded(text: str) -> str:
    """The text as it is compared: case and blanks make no difference."""
    return " ".join(text.casefold().split())


def _folded_around_code(text: str) -> str:
    if "`" not in text:  # as most texts are, which need not be taken apart
        return folded(text)
    parts = _CODE.split(text)
    return " ".join("".join(p if p.startswith("`") else p.casefold() for p in parts).split())


def asked_text(prompt: Sequence[Message]) -> str:
    """What a conversation asks: all turns of the user, since the last alone may mean nothing."""
    return "\n".join(turn.content for turn in prompt if turn.role == "user")


def hidden(name: str) -> str:
    """What a row or a group whose own name tells of a person is called instead: equal names, equal ones.

    It follows from the name alone, so that whoever knows that one finds the row.
    """
    return f"hidden-{hashlib.blake2b(name.encode(errors='surrogatepass'), digest_size=8).hexdigest()}"


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
