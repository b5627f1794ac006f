"""Which prompts are the same, and which things belong together (union-find)."""

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from deploy.messages import Message

T = TypeVar("T", bound=str)
PromptKey = tuple[tuple[str, str], ...]

_CODE = re.compile(r"(`[^`]*`)")


def prompt_key(messages: Sequence[Message]) -> PromptKey:
    """What makes two prompts the same: roles and words, whatever the blanks and, outside code, the case.

    In backticks the case counts: `m` and `M` are two parameters.
    """
    return tuple((message.role, _folded(message.content)) for message in messages)


def _folded(text: str) -> str:
    parts = _CODE.split(text)
    return " ".join("".join(p if p.startswith("`") else p.casefold() for p in parts).split())


class Sets(Generic[T]):
    """Disjoint sets; the root of each is its smallest member, whatever the order of uniting."""

    def __init__(self) -> None:
        self._parent: dict[T, T] = {}

    def find(self, item: T) -> T:
        """The smallest member of the set that holds `item`."""
        root = self._parent.setdefault(item, item)
        while root != self._parent[root]:
            root = self._parent[root]
        while item != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def unite(self, one: T, other: T) -> None:
        """Make one set of the sets that hold `one` and `other`."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parent[second] = first

    def roots(self) -> dict[T, T]:
        """The root of every member."""
        return {item: self.find(item) for item in list(self._parent)}
