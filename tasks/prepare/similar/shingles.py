"""What texts count by: hashes of words in a row, three of them or in long texts two, whatever case and signs.

A tenth of the words changed leaves two thirds of the pairs, but less than half of many a text's triples. In a
short text a pair in common says too little: `How much does a house cost?`. Where rows only have to stand
together, short texts may count by their words whatever their order: a fifth of them changed leaves a fifth of
the triples, and two thirds of the words.

Hashes are the same in each process and on each machine. They have 32 bits: two texts of a thousand triples
have one in common by chance once in four thousand pairs, which is no matter to their share.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
# Bytes of ASCII in small letters, and a blank for each that stands in no word.
_AS_WORDS = bytes(ord(chr(byte).lower()) if _WORD.match(chr(byte)) else 32 for byte in range(128)) + bytes(
    128
)
LONG = 20  # words from which a text counts by pairs; up to `SHORT` it counts by triples, too
SHORT = 3 * LONG  # words from which a text does not count by its words in any order
_BLOCK = 1 << 20  # bytes of texts at once, so that memory stays bounded
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse


class Shingles:
    """Sets of hashes, each ascending, one set behind the other."""

    def __init__(self, values: "NDArray[np.uint32]", sizes: "NDArray[np.int64]") -> None:
        self.values, self.sizes = values, sizes
        self.ends = sizes.cumsum()
        self.starts = self.ends - sizes

    @classmethod
    def of(cls, texts: Sequence[str], *, in_order: bool = True) -> "Shingles":
        """Two sets for each text: its triples, and its pairs; empty where it does not count by these.

        Of a text with less than three words the first has the words, of one without any its signs. Where the
        words need not be `in_order`, the first has the words of every short text, and all others are empty.
        """
        return cls.joined(map(partial(_read, in_order), _in_blocks(texts)))

    @classmethod
    def joined(cls, parts: Iterable["Shingles"]) -> "Shingles":
        """Those of all parts."""
        import numpy as np

        found = list(parts)
        return cls(
            np.concatenate([np.empty(0, np.uint32), *(part.values for part in found)]),
            np.concatenate([np.empty(0, np.int64), *(part.sizes for part in found)]),
        )

    def at(self, places: "NDArray[np.int64]") -> "Shingles":
        """The sets at some places, in the order of these."""
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
        """Of each pair of sets, by their places, the share of the hashes of both that both have."""
        import numpy as np

        owned = [self.at(places)._owned() for places in (one, other)]
        ordered = np.sort(np.concatenate(owned))
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        shared = np.bincount((twice >> np.uint64(32)).astype(np.int64), minlength=len(one))
        return shared / np.maximum(self.sizes[one] + self.sizes[other] - shared, 1)

    def _owned(self) -> "NDArray[np.uint64]":
        """Each hash with the place of its set before it."""
        import numpy as np

        owners = np.repeat(np.arange(len(self.sizes), dtype=np.uint64), self.sizes)
        return owners << np.uint64(32) | self.values


def _in_blocks(texts: Iterable[str]) -> Iterator[list[bytes]]:
    """The words of the texts, a blank between two, in lists of some bytes."""
    block, size = list[bytes](), 0
    for text in texts:
        block.append(_words(text))
        size += len(block[-1]) + 1
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _read(in_order: bool, said: Sequence[bytes]) -> Shingles:
    """The sets of some texts, whose words are given. Words are hashed, and those in a row mixed from them."""
    import numpy as np

    words, lengths = _hashed(said)
    length = np.repeat(lengths, lengths)
    sets = np.repeat(np.arange(0, 2 * len(said), 2, dtype=np.uint64), lengths)
    parts = [(sets, words, length < (3 if in_order else SHORT))]
    if in_order:
        pairs = _followed(words, words[1:])
        left = np.repeat(lengths.cumsum(), lengths) - np.arange(len(words))  # words to the end of the text
        parts.append((sets, _followed(pairs, words[2:]), (left >= 3) & (length < SHORT)))
        parts.append((sets + np.uint64(1), pairs, (left >= 2) & (length >= LONG)))
    owned = np.concatenate(
        [owners[some] << np.uint64(32) | values[some] >> np.uint64(32) for owners, values, some in parts]
    )
    owned.sort()
    first = np.ones(len(owned), bool)
    first[1:] = owned[1:] != owned[:-1]
    owned = owned[first]  # np.unique takes fifteen times as long
    sizes = np.bincount((owned >> np.uint64(32)).astype(np.int64), minlength=2 * len(said))
    return Shingles(owned.astype(np.uint32), sizes)


def _words(text: str) -> bytes:
    """The words of a text in small letters, blanks between them; of one without any its signs as a word."""
    if text.isascii():  # most texts are, and take a third of the time so
        said = text.encode().translate(_AS_WORDS)
        found = not said.isspace() and len(said) > 0
    else:
        said = " ".join(_WORD.findall(text.lower())).encode()
        found = len(said) > 0
    return said if found else b"\0" + "\0".join(text.split()).encode()


def _hashed(said: Sequence[bytes]) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
    """The hashes of all words, and how many each text has.

    A word is a number whose digits are its bytes, as a difference of sums over all bytes: no word is taken
    into Python, which would take most of the time.
    """
    import numpy as np

    text = np.frombuffer(b" ".join(said) + b" ", np.uint8)
    inside = text != ord(" ")
    edges = np.flatnonzero(np.diff(inside, prepend=False))
    starts, ends = edges[::2], edges[1::2]
    sums = text.astype(np.uint64)
    sums *= _powers(_BASE, len(text))
    np.cumsum(sums, out=sums)
    # The blank before a word is where the sum stands without it; the very first has none.
    before = np.where(starts > 0, sums[starts - 1], np.uint64(0))
    words = (sums[ends - 1] - before) * _powers(pow(_BASE, -1, 1 << 64), len(text))[starts]
    stops = np.cumsum(np.fromiter(map(len, said), np.int64, len(said)) + 1)
    return mixed(words), np.diff(np.searchsorted(starts, stops), prepend=0)


def _powers(base: int, count: int) -> "NDArray[np.uint64]":
    """The first powers of a number, as far as 64 bits hold them."""
    import numpy as np

    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, out=powers)


def _followed(runs: "NDArray[np.uint64]", words: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """The hash of each run with the word behind it; of the last ones, which have none, what they are."""
    import numpy as np

    longer = runs.copy()
    longer[: len(words)] = mixed(runs[: len(words)] * np.uint64(0x9E3779B97F4A7C15) + words)
    return longer


def mixed(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """64-bit values with each bit spread over all others (the finaliser of MurmurHash3)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))
