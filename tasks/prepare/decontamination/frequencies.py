"""How often words stand in texts: what rare words are told by. Counted shard by shard, and added up."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.similar.arrays import ArrayFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WAITING = 1 << 22  # words of shards that are added up at once


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """In how many of so many `texts` each word stands, by ascending hashes of words.

    `runs` counts the same of each run of words that is looked for.
    """

    texts: int
    words: "NDArray[np.uint64]"
    counts: "NDArray[np.int64]"
    runs: "NDArray[np.int64]"

    def of(self, words: Iterable[str]) -> "NDArray[np.int64]":
        """In how many texts each of the words stands; all of them stand in one."""
        import numpy as np

        found: NDArray[np.int64] = self.counts[np.searchsorted(self.words, hashed(words))]
        return found

    def store(self, folder: Path) -> None:
        """Keep it in a folder, for other processes."""
        import numpy as np

        arrays = ArrayFolder(folder)
        for name in ("texts", "words", "counts", "runs"):
            arrays[name] = np.asarray(getattr(self, name))

    @classmethod
    def stored(cls, folder: Path) -> "Frequencies":
        """What `store` has kept there."""
        arrays = ArrayFolder(folder)
        return cls(int(arrays["texts"]), arrays["words"], arrays["counts"], arrays["runs"])


def added(parts: Iterable[Frequencies]) -> Frequencies:
    """The frequencies in the texts of all parts together."""
    import numpy as np

    none = np.empty(0, np.int64)
    total = Frequencies(0, np.empty(0, np.uint64), none, none)
    waiting: list[Frequencies] = []
    for part in parts:
        waiting.append(part)
        if sum(len(each.words) for each in waiting) > max(_WAITING, len(total.words)):
            total, waiting = _merged([total, *waiting]), []
    return _merged([total, *waiting])


def hashed(words: Iterable[str]) -> "NDArray[np.uint64]":
    """Words as hashes, which are the same in each process."""
    import numpy as np
    import xxhash

    return np.fromiter((xxhash.xxh64_intdigest(word.encode()) for word in words), np.uint64)


def _merged(parts: list[Frequencies]) -> Frequencies:
    import numpy as np

    words, places = np.unique(np.concatenate([each.words for each in parts]), return_inverse=True)
    counts = np.bincount(places, weights=np.concatenate([each.counts for each in parts]))
    return Frequencies(
        texts=sum(each.texts for each in parts),
        words=words,
        counts=counts.astype(np.int64),
        runs=np.sum([each.runs for each in parts if len(each.runs)] or [parts[-1].runs], axis=0),
    )
