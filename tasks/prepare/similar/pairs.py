"""Which texts are nearly the same: by the share of their words in a row, whatever the case and the signs.

MinHash finds who may be near to whom, and the exact share decides. What very many texts have in common is a
frame (an instruction before each text, `What is the default of`): it counts for nothing. Otherwise all rows
of one template would be near to each other.

Texts come in shards. What they count by is kept in memory, or in a folder for more than fit there.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.prepare.similar.arrays import ArrayFolder, Stacked
from tasks.prepare.similar.bands import candidates
from tasks.prepare.similar.shingles import Shingles
from tasks.prepare.similar.signatures import signatures
from tasks.rows.places import by_shard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Texts = NDArray[np.uint32]
    Shares = NDArray[np.float64]

_FRAME, _FEWEST = 0.02, 16  # in more than this share of the texts, and in more than so many, is a frame
_SHARD = 16_384  # texts of `near_pairs` at once
_TOLD = 1 << 16  # texts whose pairs are told at once


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two texts by their places, `earlier` below `later`, and the share of words in a row that both have."""

    earlier: int
    later: int
    nearness: float


def near_pairs(texts: Sequence[str], *, near: float, in_order: bool = True) -> list[Pair]:
    """The pairs of `texts` that share at least `near` of the words in a row of both, frames aside, in order.

    A text counts by its word triples, from 20 words on by pairs of words (up to 60 by both); one of less than
    three words by these, one without any by its signs. One that has nothing but frames is near to none. About
    one pair in a hundred at 0.6 is missed, one in eight at 0.5. Where words need not be `in_order`, texts of
    less than 60 count by their words, and longer ones are near to none.
    """
    held = NearTexts(in_order=in_order)
    for shard, start in enumerate(range(0, len(texts), _SHARD)):
        held.add(shard, texts[start : start + _SHARD])
    return list(held.pairs(near=near))


class NearTexts:
    """Texts that are compared for nearness; what they count by lies in a folder, or without one in memory.

    A text takes about 4 bytes there for each of its words and 150 more, one of 20 to 60 words twice that.
    What a killed run has left is not made again. Several processes may work on one folder, each on shards of
    its own.
    """

    def __init__(self, folder: Path | None = None, *, in_order: bool = True) -> None:
        self._arrays: MutableMapping[str, Any] = {} if folder is None else ArrayFolder(folder)
        self._in_order = in_order

    def add(self, shard: int, texts: Sequence[str]) -> None:
        """Keep what the texts of a shard count by; nothing to do where it is there already."""
        import numpy as np

        if (done := f"sizes-{shard:06d}") in self._arrays:
            return
        said = Shingles.of(texts, in_order=self._in_order)
        values, counts = np.unique(said.values, return_counts=True)
        # What is a frame of all texts is one of a shard at least.
        self._arrays[f"common-{shard:06d}"] = values[counts > int(_FRAME * len(texts))]
        self._arrays[f"values-{shard:06d}"] = said.values
        self._arrays[done] = said.sizes.astype(np.uint32)

    def sign(self, shard: int) -> None:
        """Make the signatures of a shard, after all were added; nothing to do where they are there already.

        `pairs` does this. It stands alone so that a pool of processes can be given it.
        """
        _Added(self._arrays).sign(shard)

    def pairs(
        self, *, near: float, each: Callable[[Callable[[int], None], Iterable[int]], Iterable[None]] = map
    ) -> Iterator[Pair]:
        """The pairs of all texts as `near_pairs` has them; places count through the shards by their numbers.

        `each` calls a function for each shard: the `map` of a pool does so in several processes.
        """
        added = _Added(self._arrays)
        for _ in each(self.sign, added.shards):
            pass
        signed = added.signed()
        found = _Found(self._arrays, near)
        for number, (one, other) in enumerate(candidates(signed.signatures, signed.sizes, near=near)):
            nearness = added.nearness(signed, one, other)
            found.keep(number, signed.texts[one], signed.texts[other], nearness)
        yield from found.told(sum(added.texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """The sets that are not empty, by their numbers: signature, size without frames, place of the text."""

    signatures: Stacked
    sizes: "NDArray[np.uint32]"
    texts: "Texts"


class _Added:
    """The shards that there are, with what is a frame of all of them."""

    def __init__(self, arrays: MutableMapping[str, Any]) -> None:
        self._arrays = arrays
        names = sorted(name for name in arrays if name.startswith("sizes-"))
        self.shards = [int(name.removeprefix("sizes-")) for name in names]
        self._frames = self._found_frames()

    @cached_property
    def texts(self) -> list[int]:
        """How many texts each shard has."""
        return [len(self._arrays[f"sizes-{shard:06d}"]) // 2 for shard in self.shards]

    def sign(self, shard: int) -> None:
        """Make signatures, sizes and places of the sets of a shard that have more than frames."""
        import numpy as np

        if (done := self._name("places", shard)) not in self._arrays:
            said = self._said(shard).without(self._frames)
            places = np.flatnonzero(said.sizes)
            self._arrays[self._name("signatures", shard)] = signatures(said.at(places))
            self._arrays[self._name("own", shard)] = said.sizes[places].astype(np.uint32)
            self._arrays[done] = places.astype(np.uint32)

    def signed(self) -> _Signed:
        """All of these."""
        import numpy as np

        names = [self._name("signatures", shard) for shard in self.shards]
        sizes = [self._arrays[self._name("own", shard)] for shard in self.shards]
        firsts = np.cumsum([0, *self.texts])[:-1].astype(np.uint32)
        texts = [
            self._arrays[self._name("places", shard)] // 2 + first
            for shard, first in zip(self.shards, firsts, strict=True)
        ]
        none = np.empty(0, np.uint32)
        return _Signed(
            signatures=Stacked(self._arrays, names, list(map(len, sizes))),
            sizes=np.concatenate([none, *sizes]),
            texts=np.concatenate([none, *texts]),
        )

    def nearness(self, signed: _Signed, one: "Numbers", other: "Numbers") -> "Shares":
        """Of each pair of sets the share of their hashes that both have."""
        import numpy as np

        numbers, within = np.unique(np.concatenate([one, other]), return_inverse=True)
        parts = [
            self._said(shard).at(self._arrays[self._name("places", shard)][some].astype(np.int64))
            for shard, some in (
                (self.shards[at], some) for at, some in by_shard(numbers, signed.signatures.sizes)
            )
        ]
        return Shingles.joined(parts).without(self._frames).nearness(*np.split(within, 2))

    def _found_frames(self) -> "NDArray[np.uint32]":
        import numpy as np

        if (done := f"frames-{len(self.shards)}") not in self._arrays:
            common = [self._arrays[f"common-{shard:06d}"] for shard in self.shards]
            values = np.unique(np.concatenate([np.empty(0, np.uint32), *common]))
            counts = np.zeros(len(values), np.int64)
            for shard in self.shards if len(values) else ():
                ordered = np.sort(self._arrays[f"values-{shard:06d}"])
                counts += np.searchsorted(ordered, values, "right") - np.searchsorted(ordered, values)
            self._arrays[done] = values[counts > max(_FEWEST, int(_FRAME * sum(self.texts)))]
        frames: NDArray[np.uint32] = self._arrays[done]
        return frames

    def _said(self, shard: int) -> Shingles:
        sizes = self._arrays[f"sizes-{shard:06d}"]
        return Shingles(self._arrays[f"values-{shard:06d}"], sizes.astype("i8"))

    def _name(self, name: str, shard: int) -> str:
        """With other shards beside it, frames are others, and so is what is made without them."""
        return f"{name}-{len(self.shards)}-{shard:06d}"


class _Found:
    """Pairs as they are found, some of them several times; told once, and in order."""

    def __init__(self, arrays: MutableMapping[str, Any], near: float) -> None:
        self._arrays, self._near = arrays, near
        self._parts: list[str] = []

    def keep(self, number: int, one: "Texts", other: "Texts", nearness: "Shares") -> None:
        """Add those that are near."""
        import numpy as np

        enough = np.flatnonzero(nearness >= self._near)
        if len(enough):
            ends = (one[enough].astype(np.uint64) << np.uint64(32)) | other[enough].astype(np.uint64)
            ends, shares = _once(ends, nearness[enough])
            self._arrays[f"ends-{self._near}-{number}"] = ends
            self._arrays[f"nearness-{self._near}-{number}"] = shares
            self._parts.append(f"{self._near}-{number}")

    def told(self, texts: int) -> Iterator[Pair]:
        """All of them, those of some texts at a time."""
        import numpy as np

        for start in range(0, texts, _TOLD):
            low, high = np.uint64(start << 32), np.uint64((start + _TOLD) << 32)
            ends, nearness = [np.empty(0, np.uint64)], [np.empty(0)]
            for part in self._parts:
                kept = self._arrays[f"ends-{part}"]
                some = slice(*np.searchsorted(kept, [low, high]))
                ends.append(kept[some])
                nearness.append(self._arrays[f"nearness-{part}"][some])
            both, shares = _once(np.concatenate(ends), np.concatenate(nearness))
            for pair, share in zip(both.tolist(), shares.tolist(), strict=True):
                yield Pair(pair >> 32, pair & 0xFFFFFFFF, round(share, 4))


def _once(ends: "NDArray[np.uint64]", nearness: "Shares") -> "tuple[NDArray[np.uint64], Shares]":
    """Each pair once, with its largest share, in order."""
    import numpy as np

    order = np.lexsort((-nearness, ends))
    both, first = np.unique(ends[order], return_index=True)
    return both, nearness[order][first]
