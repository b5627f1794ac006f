"""Words as numbers, and runs of them as keys: what comparing many texts with many others begins with."""

from collections.abc import Iterator, Sequence
from typing import Any

Words = tuple[str, ...]

_FACTOR = 0x9E3779B97F4A7C15  # odd, and its bits look random (2^64 divided by the golden ratio)


class Numbered:
    """Texts as the numbers of their words, one behind the other; 0 is a word that has none.

    `ends` has one more entry than there are texts: the words of text t are `numbers[ends[t]:ends[t + 1]]`.
    """

    def __init__(self, texts: Sequence[Words], known: dict[str, int], *, grow: bool) -> None:
        """Number the words by `known`; with `grow` it takes in those that it has not."""
        import numpy as np

        lengths = np.fromiter(map(len, texts), np.int64, count=len(texts))
        self.ends = np.concatenate([[0], lengths.cumsum()])
        self.numbers = np.fromiter(_numbers(texts, known, grow=grow), np.int64, count=int(self.ends[-1]))

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def owners(self) -> Any:
        """The text of each word."""
        import numpy as np

        return np.repeat(np.arange(len(self)), self.ends[1:] - self.ends[:-1])

    def runs(self, length: int) -> tuple[Any, Any]:
        """The key of each run of `length` words that all have a number, and its text.

        Equal runs have equal keys; two others have the same with a chance of 2^-64.
        """
        import numpy as np

        if len(self.numbers) < length:
            return np.empty(0, np.uint64), np.empty(0, np.int64)
        owners = self.owners
        unknown = np.concatenate([[0], (self.numbers == 0).cumsum()])
        starts = np.flatnonzero(
            (unknown[length:] == unknown[:-length])
            & (owners[length - 1 :] == owners[: len(owners) - length + 1])
        )
        keys = np.zeros(len(starts), np.uint64)
        for step in range(length):
            keys = mixed(keys * np.uint64(_FACTOR) + self.numbers[starts + step].astype(np.uint64))
        return keys, owners[starts]


def mixed(values: Any) -> Any:
    """64-bit values with each bit spread over all others (the finaliser of MurmurHash3)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))


def distinct(owners: Any, keys: Any) -> tuple[Any, Any]:
    """The pairs of an owner and a key, each once, by owner and then by key."""
    import numpy as np

    order = np.lexsort((keys, owners))
    owners, keys = owners[order], keys[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    return owners[new], keys[new]


def _numbers(texts: Sequence[Words], known: dict[str, int], *, grow: bool) -> Iterator[int]:
    if grow:
        return (known.setdefault(word, len(known) + 1) for text in texts for word in text)
    return (known.get(word, 0) for text in texts for word in text)
