"""Who sees which documents of a store: what has tags is closed to whoever holds none of them."""

from collections.abc import Mapping

from deploy.knowledge.hidden import Hidden
from deploy.knowledge.tags import Held, is_open


class Access:
    """The `tags` of the documents of a store that have any, and the rows of all documents (`ranges`).

    The store has `total` rows.
    """

    def __init__(
        self,
        tags: Mapping[str, tuple[str, ...]],
        ranges: Mapping[str, tuple[int, int]],
        *,
        total: int,
    ) -> None:
        self.tags, self._ranges, self._total = tags, ranges, total
        self._hidden: dict[frozenset[str], Hidden | None] = {}

    def is_open(self, name: str, held: Held) -> bool:
        """Whether whoever holds these tags sees the document called `name`."""
        return is_open(self.tags.get(name, ()), held)

    def closed(self, held: Held) -> set[str]:
        """The documents that whoever holds these tags must not see."""
        return {name for name in self.tags if not self.is_open(name, held)}

    def hidden(self, held: Held) -> Hidden | None:
        """Their rows; None where there are none. Made once for the same tags: it is as long as the store."""
        if held is None or not self.tags:
            return None
        key = frozenset(held)
        if key not in self._hidden:
            ranges = [self._ranges[name] for name in self.closed(key) if name in self._ranges]
            self._hidden[key] = Hidden.of(ranges, total=self._total) if ranges else None
        return self._hidden[key]
