"""Which documents training and evaluation see: those of before, as long as today's differ little.

What a model learns over its sources is to read them, not what stands in them: that comes from retrieval. So a
new document is served at once and trains nothing anew, until so many have changed that what was trained and
measured over the old ones says little of today's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.files import sha256_of
from tasks.rows.records import Document
from tasks.rows.tables import FILES, read_table


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


def drift(seen: Sequence[Document], now: Sequence[Document]) -> Drift:
    """How `now` differs from `seen`; a document is the same where its title and its text are."""
    before = {row.id: (row.title, row.text) for row in seen}
    today = {row.id: (row.title, row.text) for row in now}
    both = before.keys() & today.keys()
    same = sum(before[name] == today[name] for name in both)
    return Drift(
        added=len(today.keys() - both),
        changed=len(both) - same,
        removed=len(before.keys() - both),
        same=same,
    )


def seen_before(before: Path | None, splits: Path, now: Sequence[Document], *, most: float) -> Path | None:
    """The file of the documents in the splits of `before`, where these go on; None where today's are taken.

    They go on where all rows in `splits` are those of before, and not more than the share `most` of the
    documents differs from `now`: rows that are new are trained on anyway.
    """
    if before is None or not (before / FILES[Document]).is_file():
        return None
    rows = {path.relative_to(splits): sha256_of(path) for path in splits.rglob("*.parquet")}
    of_before = {path.relative_to(before): sha256_of(path) for path in before.rglob("*.parquet")}
    own = Path(FILES[Document])
    if rows != {name: digest for name, digest in of_before.items() if name != own}:
        return None
    found = drift(read_table(before / own, Document), now)
    return before / own if 0.0 < found.share <= most else None
