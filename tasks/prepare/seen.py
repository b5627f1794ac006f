"""Which documents training and evaluation see: those of before, as long as today's differ little.

What a model learns over its sources is to read them, not what stands in them: that comes from retrieval. So a
new document is served at once and trains nothing anew, until so many have changed that what was trained and
measured over the old ones says little of today's.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.files import sha256_of
from tasks.rows.hashes import HASH, hashed, places_of
from tasks.rows.records import Document
from tasks.rows.tables import FILES, read_shards

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How the documents that are served differ from those that training has seen, in documents."""

    added: int
    changed: int
    removed: int
    same: int

    @property
    def share(self) -> float:
        """The share of all documents, those of before and of today, that differ."""
        differ = self.added + self.changed + self.removed
        return differ / max(differ + self.same, 1)

    @property
    def told(self) -> str:
        """What differs, in words."""
        return f"{self.added} new, {self.changed} changed, {self.removed} removed"


def drift(seen: Iterable[Document], now: Iterable[Document]) -> Drift:
    """How `now` differs from `seen`; a document is the same where its title and its text are.

    The documents are taken as they come: what is kept of each are two hashes.
    """
    before, today = _contents(seen), _contents(now)
    found = places_of(today["id"], before["id"])
    both = int((found >= 0).sum())
    same = int((today["content"][found >= 0] == before["content"][found[found >= 0]]).sum())
    return Drift(added=len(today) - both, changed=both - same, removed=len(before) - both, same=same)


def seen_before(
    before: Path | None, splits: Path, now: Iterable[Document], *, most: float
) -> tuple[Path, Drift] | None:
    """The file of the documents in the splits of `before`, where these go on; None where today's are taken.

    With it comes how `now` differs from them. They go on where all rows in `splits` are those of before, and
    not more than the share `most` of the documents differs: rows that are new are trained on anyway.
    """
    if before is None or not (before / FILES[Document]).is_file():
        return None
    rows = {path.relative_to(splits): sha256_of(path) for path in splits.rglob("*.parquet")}
    of_before = {path.relative_to(before): sha256_of(path) for path in before.rglob("*.parquet")}
    own = Path(FILES[Document])
    if rows != {name: digest for name, digest in of_before.items() if name != own}:
        return None
    found = drift(chain.from_iterable(read_shards(before / own, Document)), now)
    return (before / own, found) if 0.0 < found.share <= most else None


def _contents(documents: Iterable[Document]) -> "NDArray[np.void]":
    """The hashes of the ids of documents, ascending, and of what stands in each."""
    import numpy as np

    both = ((hashed("id", row.id), hashed("content", json.dumps([row.title, row.text]))) for row in documents)
    found = np.fromiter(both, [("id", HASH), ("content", HASH)])
    return found[np.argsort(found["id"], kind="stable")]
