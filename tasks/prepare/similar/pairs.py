"""Which texts are nearly the same: by the share of their word triples, whatever the case and the signs.

MinHash finds who may be near to whom, in 32 bands of four values: two texts that share 0.6 of their triples
meet with a chance of 0.99, at 0.5 with 0.87. The exact share then decides, since bands this loose alone would
call a third too many near; stricter ones miss half of the texts with a tenth of their words changed.

What very many texts have in common is a frame (an instruction before each text, `What is the default of`): it
counts for nothing. Otherwise all rows of one template would be near to each other.

Hashes are xxhash's, so that they are the same in each process and on each machine.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

_WORD = re.compile(r"\w+")
# Bytes of ASCII in small letters, and a blank for each that stands in no word.
_AS_WORDS = bytes(ord(chr(byte).lower()) if _WORD.match(chr(byte)) else 32 for byte in range(128)) + bytes(
    128
)
_RUN = 3
_BANDS, _ROWS = 32, 4
_FRAME, _FEWEST = (
    0.02,
    16,
)  # a triple in more than this share of the texts, and in more than so many, is a frame
_BLOCK = 4096  # texts or pairs at once, so that memory stays bounded
_WINDOW = 64  # of those that meet in a band, each is held against so many
_SLACK = 0.2  # the share by MinHash is off by more than this once in some 100,000 pairs


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two texts by their places, `earlier` below `later`, and the share of their triples that both have."""

    earlier: int
    later: int
    nearness: float


def near_pairs(texts: Sequence[str], *, near: float) -> list[Pair]:
    """The pairs of `texts` that share at least `near` of the word triples of both, frames aside, in order.

    A text of less than three words counts by these, one without any by its signs; one that has nothing but
    frames is near to none. About one pair in a hundred at 0.6 is missed, one in eight at 0.5.
    """
    import numpy as np

    said = _Shingles.of(texts).without_frames()
    places = np.flatnonzero(said.sizes)
    if len(places) < 2:
        return []
    signatures = _signatures(said, places)
    found = set[Pair]()
    for one, other in _candidates(signatures, said.sizes[places], near):
        found.update(_near_ones(said, places[one], places[other], near))
    return sorted(found)


class _Shingles:
    """What the texts count by: hashes, each once, ascending within a text, one text behind the other."""

    def __init__(self, values: Any, sizes: Any) -> None:
        self.values, self.sizes = values, sizes
        self.ends = sizes.cumsum()
        self.starts = self.ends - sizes

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Shingles":
        import numpy as np

        values, sizes = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for start in range(0, len(texts), _BLOCK):
            found, counts = _read(texts[start : start + _BLOCK])
            values.append(found)
            sizes.append(counts)
        return cls(np.concatenate(values), np.concatenate(sizes))

    def without_frames(self) -> "_Shingles":
        """The same without what stands in very many texts."""
        import numpy as np

        most = max(_FEWEST, int(_FRAME * len(self.sizes)))
        ordered = np.sort(self.values)
        frames = np.unique(ordered[most:][ordered[most:] == ordered[: max(len(ordered) - most, 0)]])
        if not len(frames):
            return self
        beside = np.searchsorted(frames, self.values).clip(max=len(frames) - 1)
        own = frames[beside] != self.values
        kept = np.concatenate([[0], own.cumsum()])
        return _Shingles(self.values[own], kept[self.ends] - kept[self.starts])

    def gathered(self, places: Any) -> tuple[Any, Any]:
        """The hashes of some texts one behind the other, and for each the number of its text among these."""
        import numpy as np

        sizes = self.sizes[places]
        ends = sizes.cumsum()
        owners = np.repeat(np.arange(len(places)), sizes)
        inside = np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
        return self.values[np.repeat(self.starts[places], sizes) + inside], owners


def _read(texts: Sequence[str]) -> tuple[Any, Any]:
    """The hashes of what some texts count by, and how many each has."""
    import numpy as np
    import xxhash

    said = [_words(text) or [" ".join(text.split()).encode()] for text in texts]
    # Each word is hashed once, and triples are mixed from those: hashing triples would take most of the time.
    known = {word: xxhash.xxh64_intdigest(word) for word in set(chain.from_iterable(said))}
    lengths = np.fromiter(map(len, said), np.int64, len(said))
    words = np.fromiter(map(known.__getitem__, chain.from_iterable(said)), np.uint64, int(lengths.sum()))
    owners = np.repeat(np.arange(len(said)), lengths)
    runs = words.copy()
    for step in range(1, _RUN):
        runs[:-step] = _mixed(runs[:-step] * np.uint64(0x9E3779B97F4A7C15) + words[step:])
    whole = np.repeat(lengths.cumsum(), lengths) - np.arange(len(words)) >= _RUN
    counts = whole | np.repeat(lengths < _RUN, lengths)
    # 40 bits: two texts of a thousand triples have one in common by chance once in a million pairs.
    values = (np.where(whole, runs, _mixed(words)) >> np.uint64(24))[counts]
    owned = np.sort((owners[counts].astype(np.uint64) << np.uint64(40)) | values)
    owned = owned[np.concatenate([[True], owned[1:] != owned[:-1]])]  # np.unique takes fifteen times as long
    sizes = np.bincount((owned >> np.uint64(40)).astype(np.int64), minlength=len(said))
    return owned & np.uint64((1 << 40) - 1), sizes


def _words(text: str) -> list[bytes]:
    """The words of a text in small letters."""
    if text.isascii():  # most texts are, and take a third of the time so
        return text.encode().translate(_AS_WORDS).split()
    return [word.encode() for word in _WORD.findall(text.lower())]


def _mixed(values: Any) -> Any:
    """64-bit values with each bit spread over all others (the finaliser of MurmurHash3)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))


def _signatures(said: _Shingles, places: Any) -> Any:
    """The MinHash of the texts at `places`: 128 values of 32 bits, equal with the chance of the share."""
    import numpy as np

    count = _BANDS * _ROWS
    numbers = _mixed(np.arange(1, 2 * count + 1, dtype=np.uint64))
    factors, shifts = numbers[:count] | np.uint64(1), numbers[count:]
    found = np.empty((len(places), count), np.uint32)
    for start in range(0, len(places), _BLOCK):
        some = places[start : start + _BLOCK]
        values = _mixed(said.gathered(some)[0])
        starts = said.sizes[some].cumsum() - said.sizes[some]
        for number in range(count):
            hashed = ((values * factors[number] + shifts[number]) >> np.uint64(32)).astype(np.uint32)
            found[start : start + _BLOCK, number] = np.minimum.reduceat(hashed, starts)
    return found


def _candidates(signatures: Any, sizes: Any, near: float) -> Iterator[tuple[Any, Any]]:
    """Numbers of texts that meet in a band and may be near, in blocks.

    Where more meet in a band than are compared, each is held against its neighbours in the order of the next
    band, where those that are near stand together: the work grows with the texts, not with their square.
    """
    import numpy as np

    bands = signatures.reshape(len(signatures), _BANDS, _ROWS)
    keys = np.zeros(bands.shape[:2], np.uint64)
    for row in range(_ROWS):
        keys = _mixed(keys * np.uint64(0x9E3779B97F4A7C15) + bands[:, :, row])
    compared = np.zeros(keys.shape, bool)  # whether a text was held against all that it met in a band
    for band in range(_BANDS):
        order = np.lexsort((keys[:, (band + 1) % _BANDS], keys[:, band]))
        met = keys[order, band]
        _, inverse, crowd = np.unique(met, return_inverse=True, return_counts=True)
        compared[order, band] = crowd[inverse] <= _WINDOW
        for step in range(1, _WINDOW + 1):
            together = np.flatnonzero(met[step:] == met[:-step])
            if not len(together):
                break
            for start in range(0, len(together), _BLOCK):
                some = together[start : start + _BLOCK]
                ends = np.sort(np.stack([order[some], order[some + step]]), axis=0)
                known = ((keys[ends[0], :band] == keys[ends[1], :band]) & compared[ends[0], :band]).any(
                    axis=1
                )
                alike = (signatures[ends[0]] == signatures[ends[1]]).mean(axis=1) >= near - _SLACK
                sized = sizes[ends].min(axis=0) >= near * sizes[ends].max(axis=0)
                yield tuple(ends[:, ~known & alike & sized])


def _near_ones(said: _Shingles, one: Any, other: Any, near: float) -> Iterator[Pair]:
    """Those of the pairs of texts that do share enough."""
    import numpy as np

    both = [
        (owners.astype(np.uint64) << np.uint64(40)) | values
        for values, owners in (said.gathered(one), said.gathered(other))
    ]
    ordered = np.sort(np.concatenate(both))
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    shared = np.bincount((twice >> np.uint64(40)).astype(np.int64), minlength=len(one))
    nearness = shared / np.maximum(said.sizes[one] + said.sizes[other] - shared, 1)
    for number in np.flatnonzero(nearness >= near).tolist():
        yield Pair(int(one[number]), int(other[number]), round(float(nearness[number]), 4))
