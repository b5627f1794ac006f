"""What is live at one moment: what was added, what of the store is left out, and who may see what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from deploy.documents.fresh import FreshIndex
from deploy.knowledge.hidden import Hidden
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.tags import Held, is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Replaced as a whole with each change, so that a search never meets half of one.

    `version` and `stamps` say which state of the file it shows. `gone` are the documents of the `store` that
    were deleted. `masks` are what `shown` has made, and `rows` what `hidden` has, by tags.
    """

    store: KnowledgeStore
    version: int
    stamps: Mapping[str, int | None]
    index: FreshIndex
    gone: frozenset[str]
    masks: dict[frozenset[str] | None, NDArray[np.bool_]] = field(default_factory=dict)
    rows: dict[frozenset[str] | None, Hidden | None] = field(default_factory=dict)

    def over(self, index: FreshIndex) -> "View":
        """The same documents in another index."""
        return replace(self, index=index, masks={})

    def is_open(self, name: str, held: Held) -> bool:
        """Whether whoever holds these tags sees the document called `name`, or there is none."""
        if added := self.index.documents.get(name):
            return is_open(added.document.tags, held)
        return name in self.gone or self.store.access.is_open(name, held)

    def has(self, name: str) -> bool:
        """Whether there is a document of this name."""
        return name in self.index.documents or (name in self.store.ranges and name not in self.gone)

    def described(self) -> Mapping[str, Mapping[str, str]]:
        """The metadata of all documents by their ids, with those of the store that were deleted."""
        stored, added = self.store.described, self.index.documents
        return (
            {**stored, **{name: each.document.metadata for name, each in added.items()}} if added else stored
        )

    @property
    def tagged(self) -> set[str]:
        """The documents that have tags."""
        added = self.index.documents
        stored = self.store.access.tags.keys() - self.gone - added.keys()
        return stored | {name for name, each in added.items() if each.document.tags}

    def shown(self, held: Held, exclude: Collection[str]) -> NDArray[np.bool_]:
        """For each place of the index whether whoever holds these tags may find it, without `exclude`."""
        key = _key(held)
        if (shown := self.masks.get(key)) is None:
            added = self.index.documents.items()
            closed = {name for name, each in added if not is_open(each.document.tags, held)}
            shown = self.masks[key] = self.index.shown(closed)
        return shown & self.index.shown(exclude) if exclude else shown

    def hidden(self, held: Held, exclude: Collection[str]) -> Hidden | None:
        """What a search of the store by whoever holds these tags leaves out, without `exclude` as well."""
        others = (*self.gone, *self.index.documents)
        if exclude:
            return self.store.hide((*exclude, *others), held)
        key = _key(held)
        if key not in self.rows:
            self.rows[key] = self.store.hide(others, held)
        return self.rows[key]


def _key(held: Held) -> frozenset[str] | None:
    return None if held is None else frozenset(held)
