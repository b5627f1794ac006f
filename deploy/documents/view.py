"""What is live at one moment: what was added, what of the store is hidden, and who may see what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from deploy.documents.fresh import FreshIndex
from deploy.knowledge.hidden import Hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Replaced as a whole with each change, so that a search never meets half of one.

    `version` and `stamps` say which state of the file it shows. `gone` are the documents of the store that
    were deleted, `hidden` the chunks of those and of the replaced ones. `masks` are what `shown` has made.
    """

    version: int
    stamps: Mapping[str, int | None]
    index: FreshIndex
    tags: Mapping[str, frozenset[str]]
    gone: frozenset[str]
    hidden: Hidden | None
    masks: dict[frozenset[str] | None, NDArray[np.bool_]] = field(default_factory=dict)

    def over(self, index: FreshIndex) -> "View":
        """The same documents in another index."""
        return replace(self, index=index, masks={})

    def closed(self, held: Collection[str] | None) -> set[str]:
        """The documents that whoever holds these tags must not see; None sees all."""
        return set() if held is None else {name for name, tags in self.tags.items() if tags.isdisjoint(held)}

    def shown(self, held: Collection[str] | None, exclude: Collection[str]) -> NDArray[np.bool_]:
        """For each place of the index whether whoever holds these tags may find it, without `exclude`."""
        key = None if held is None else frozenset(held)
        if (shown := self.masks.get(key)) is None:
            shown = self.masks[key] = self.index.shown(self.closed(held))
        return shown & self.index.shown(exclude) if exclude else shown
