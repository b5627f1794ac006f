"""Which texts are nearly the same: by the share of their word triples, whatever the case and the signs.

MinHash finds who may be near to whom, and the exact share decides. What very many texts have in common is a
frame (an instruction before each text, `What is the default of`): it counts for nothing. Otherwise all rows
of one template would be near to each other.

Texts come in shards. What they count by is kept in memory, or in a folder for more than fit there.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.prepare.similar.arrays import ArrayFolder, Stacked
from tasks.prepare.similar.bands import candidates
from tasks.prepare.similar.shingles import Shingles
from tasks.prepare.similar.signatures import signatures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Shares = NDArray[np.float64]

_FRAME, _FEWEST = 0.02, 16  # in more than this share of the texts, and in more than so many, is a frame
_SHARD = 16_384  # texts of `near_pairs` at once
_TOLD = 1 << 16  # texts whose pairs are told at once


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
    held = NearTexts()
    for shard, start in enumerate(range(0, len(texts), _SHARD)):
        held.add(shard, texts[start : start + _SHARD])
    return list(held.pairs(near=near))


class NearTexts:
    """Texts that are compared for nearness; what they count by lies in a folder, or without one in memory.

    A text takes about 4 bytes there for each of its words, and 136 more. What a killed run has left of it is
    not made again. Several processes may work on one folder, each on shards of its own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._arrays: MutableMapping[str, Any] = {} if folder is None else ArrayFolder(folder)

    def add(self, shard: int, texts: Sequence[str]) -> None:
        """Keep what the texts of a shard count by; nothing to do where it is there already."""
        import numpy as np

        if (done := f"sizes-{shard:06d}") in self._arrays:
            return
        said = Shingles.of(texts)
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
        found = _Found(self._arrays, near)
        for number, (one, other) in enumerate(candidates(*added.signed(), near=near)):
            found.keep(number, one, other, added.nearness(one, other))
        yield from found.told(added.texts)


class _Added:
    """The shards that there are, with what is a frame of all of them."""

    def __init__(self, arrays: MutableMapping[str, Any]) -> None:
        self._arrays = arrays
        names = sorted(name for name in arrays if name.startswith("sizes-"))
        self.shards = [int(name.removeprefix("sizes-")) for name in names]
        self._sizes = [len(arrays[name]) for name in names]
        self.texts = sum(self._sizes)
        self._frames = self._found_frames()

    def sign(self, shard: int) -> None:
        """Make the signatures of a shard, and how many hashes that are no frames each of its texts has."""
        import numpy as np

        if (done := self._name("own", shard)) not in self._arrays:
            said = self._said(shard).without(self._frames)
            self._arrays[self._name("signatures", shard)] = signatures(said)
            self._arrays[done] = said.sizes.astype(np.uint32)

    def signed(self) -> tuple[Stacked, "NDArray[np.uint32]"]:
        """The signatures of all texts, and how many hashes each has that are no frames."""
        import numpy as np

        names = [self._name("signatures", shard) for shard in self.shards]
        own = [self._arrays[self._name("own", shard)] for shard in self.shards]
        return Stacked(self._arrays, names, self._sizes), np.concatenate([np.empty(0, np.uint32), *own])

    def nearness(self, one: "Places", other: "Places") -> "Shares":
        """Of each pair of texts the share of their hashes that both have."""
        import numpy as np

        places, numbers = np.unique(np.concatenate([one, other]), return_inverse=True)
        stacked = Stacked(self._arrays, [], self._sizes)
        said = Shingles.joined(
            self._said(self.shards[number]).of_texts(some) for number, some in stacked.split(places)
        )
        return said.without(self._frames).nearness(numbers[: len(one)], numbers[len(one) :])

    def _found_frames(self) -> "NDArray[np.uint32]":
        import numpy as np

        if (done := f"frames-{len(self.shards)}") not in self._arrays:
            common = [self._arrays[f"common-{shard:06d}"] for shard in self.shards]
            values = np.unique(np.concatenate([np.empty(0, np.uint32), *common]))
            counts = np.zeros(len(values), np.int64)
            for shard in self.shards if len(values) else ():
                ordered = np.sort(self._arrays[f"values-{shard:06d}"])
                counts += np.searchsorted(ordered, values, "right") - np.searchsorted(ordered, values)
            self._arrays[done] = values[counts > max(_FEWEST, int(_FRAME * self.texts))]
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

    def keep(self, number: int, one: "Places", other: "Places", nearness: "Shares") -> None:
        """Add those that are near."""
        import numpy as np

        enough = np.flatnonzero(nearness >= self._near)
        if len(enough):
            ends = (one[enough].astype(np.uint64) << np.uint64(32)) | other[enough].astype(np.uint64)
            ends, first = np.unique(ends, return_index=True)
            self._arrays[f"ends-{self._near}-{number}"] = ends
            self._arrays[f"nearness-{self._near}-{number}"] = nearness[enough][first]
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
            both, first = np.unique(np.concatenate(ends), return_index=True)
            shares = np.concatenate(nearness)[first].tolist()
            for pair, share in zip(both.tolist(), shares, strict=True):
                yield Pair(pair >> 32, pair & 0xFFFFFFFF, round(share, 4))
