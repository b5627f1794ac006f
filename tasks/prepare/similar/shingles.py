"""What texts count by: hashes of their word triples, whatever the case and the signs.

Hashes are xxhash's, so that they are the same in each process and on each machine. Of 32 bits: two texts of a
thousand triples have one in common by chance once in four thousand pairs, which is no matter to their share.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
# Bytes of ASCII in small letters, and a blank for each that stands in no word.
_AS_WORDS = bytes(ord(chr(byte).lower()) if _WORD.match(chr(byte)) else 32 for byte in range(128)) + bytes(
    128
)
_RUN = 3
_BLOCK = 4096  # texts at once, so that memory stays bounded


class Shingles:
    """The hashes of some texts, each once, ascending within a text, one text behind the other."""

    def __init__(self, values: "NDArray[np.uint32]", sizes: "NDArray[np.int64]") -> None:
        self.values, self.sizes = values, sizes
        self.ends = sizes.cumsum()
        self.starts = self.ends - sizes

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Shingles":
        """Those of the texts: of one with less than three words the words, of one without any its signs."""
        known = _Hashes()
        return cls.joined(
            _read(texts[start : start + _BLOCK], known) for start in range(0, len(texts), _BLOCK)
        )

    @classmethod
    def joined(cls, parts: Iterable["Shingles"]) -> "Shingles":
        """Those of all parts."""
        import numpy as np

        found = list(parts)
        return cls(
            np.concatenate([np.empty(0, np.uint32), *(part.values for part in found)]),
            np.concatenate([np.empty(0, np.int64), *(part.sizes for part in found)]),
        )

    def of_texts(self, places: "NDArray[np.int64]") -> "Shingles":
        """Those of the texts at some places, in the order of these."""
        import numpy as np

        sizes = self.sizes[places]
        inside = np.arange(int(sizes.sum())) - np.repeat(sizes.cumsum() - sizes, sizes)
        return Shingles(self.values[np.repeat(self.starts[places], sizes) + inside], sizes)

    def without(self, values: "NDArray[np.uint32]") -> "Shingles":
        """The same without some values, which ascend."""
        import numpy as np

        if not len(values):
            return self
        beside = np.searchsorted(values, self.values).clip(max=len(values) - 1)
        own = values[beside] != self.values
        kept = np.concatenate([[0], own.cumsum()])
        return Shingles(self.values[own], kept[self.ends] - kept[self.starts])

    def nearness(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Of each pair of texts, by their places, the share of the hashes of both that both have."""
        import numpy as np

        owned = [self.of_texts(places)._owned() for places in (one, other)]
        ordered = np.sort(np.concatenate(owned))
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        shared = np.bincount((twice >> np.uint64(32)).astype(np.int64), minlength=len(one))
        return shared / np.maximum(self.sizes[one] + self.sizes[other] - shared, 1)

    def _owned(self) -> "NDArray[np.uint64]":
        """Each hash with the place of its text before it."""
        import numpy as np

        owners = np.repeat(np.arange(len(self.sizes), dtype=np.uint64), self.sizes)
        return owners << np.uint64(32) | self.values


class _Hashes(dict[bytes, int]):
    """The hash of each word that was asked for: most words come again."""

    def __missing__(self, word: bytes) -> int:
        import xxhash

        self[word] = value = xxhash.xxh64_intdigest(word)
        return value


def _read(texts: Sequence[str], known: _Hashes) -> Shingles:
    """The hashes of what some texts count by. Words are hashed, and triples mixed from those."""
    import numpy as np

    said = [_words(text) or [" ".join(text.split()).encode()] for text in texts]
    lengths = np.fromiter(map(len, said), np.int64, len(said))
    words = np.fromiter(map(known.__getitem__, chain.from_iterable(said)), np.uint64, int(lengths.sum()))
    runs = words.copy()
    for step in range(1, _RUN):
        runs[:-step] = mixed(runs[:-step] * np.uint64(0x9E3779B97F4A7C15) + words[step:])
    whole = np.repeat(lengths.cumsum(), lengths) - np.arange(len(words)) >= _RUN
    counts = whole | np.repeat(lengths < _RUN, lengths)
    values = (np.where(whole, runs, mixed(words)) >> np.uint64(32))[counts]
    owners = np.repeat(np.arange(len(said), dtype=np.uint64), lengths)[counts]
    owned = np.sort((owners << np.uint64(32)) | values)
    owned = owned[np.concatenate([[True], owned[1:] != owned[:-1]])]  # np.unique takes fifteen times as long
    sizes = np.bincount((owned >> np.uint64(32)).astype(np.int64), minlength=len(said))
    return Shingles(owned.astype(np.uint32), sizes)


def _words(text: str) -> list[bytes]:
    """The words of a text in small letters."""
    if text.isascii():  # most texts are, and take a third of the time so
        return text.encode().translate(_AS_WORDS).split()
    return [word.encode() for word in _WORD.findall(text.lower())]


def mixed(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """64-bit values with each bit spread over all others (the finaliser of MurmurHash3)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))
