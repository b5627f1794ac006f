"""Which texts hold an item of an evaluation set, by runs of eight words: quoted, or with text around it.

A text holds an item if it has a tenth of the item's runs of eight words (`SHARE`), whatever the case and the
signs. Eight words of a stranger's text are not met by chance, and a tenth is left when one word in seven is
another. A run that more than ten items have is their frame ("which of these statements is right") and says
nothing of one of them. An item of four to seven words has no such run: it has to stand in the text as a
sentence of its own, for "what is a monad" begins many questions. A shorter one is looked for in no text.

Measured on 3,136 questions of SQuAD, of which 80 were planted among 3,949 rows; figures in docs/splitting.md.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.prepare.decontamination.runs import Numbered, Words, distinct
from tasks.rows.literal import plain, words

RUN = 8
SHARE = 0.1
_FEWEST = 4  # words of an item that is looked for as a sentence
_FRAME = 10  # items that may have a run, so that it still tells one from others
_BLOCK = 4096  # rows read at once, so that memory stays bounded
_ROUNDED = 4


@dataclass(frozen=True, slots=True)
class Overlap:
    """The item that a row holds most of, by its place, and which share of its runs."""

    item: int
    share: float


def overlaps(rows: Sequence[Sequence[str]], items: Sequence[str]) -> dict[int, Overlap]:
    """By its place, each of `rows` (all texts of one) that holds an item; of several equal ones the first."""
    sought = _Sought.of([tuple(words(item)) for item in items])
    found: dict[int, Overlap] = {}
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        owners = [row for row, texts in enumerate(block) for _ in texts]
        read = Numbered([tuple(words(t)) for texts in block for t in texts], sought.known, grow=False)
        met = [*sought.long(owners, read), *sought.short(block, owners, read)]
        for row, item, share in sorted(met, key=lambda each: (each[0], -each[2], each[1])):
            found.setdefault(start + row, Overlap(item, share))
    return found


Met = Iterator[tuple[int, int, float]]  # a row, an item that it holds, and the share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sought:
    """The items as they are looked for.

    `keys` are the runs that tell items apart, ascending, `items_of` the items of each; `runs` counts those of
    an item. `sentences` maps the key of a short item to its places among the items, by its length.
    """

    known: dict[str, int]
    keys: Any
    items_of: Sequence[Sequence[int]]
    runs: Mapping[int, int]
    sentences: Mapping[int, Mapping[int, int]]
    said: Sequence[Words]

    @classmethod
    def of(cls, said: Sequence[Words]) -> "_Sought":
        first = {text: place for place, text in reversed(list(enumerate(said)))}
        places = sorted(first.values())
        known: dict[str, int] = {}
        read = Numbered([said[place] for place in places], known, grow=True)
        keys, owners = read.runs(RUN)
        having: defaultdict[int, list[int]] = defaultdict(list)
        for owner, key in zip(*(part.tolist() for part in distinct(owners, keys)), strict=True):
            having[key].append(places[owner])
        telling = {key: having[key] for key in sorted(having) if len(having[key]) <= _FRAME}
        sentences: dict[int, dict[int, int]] = {}
        for length in range(_FEWEST, RUN):
            keys, owners = read.runs(length)
            whole = (read.ends[1:] - read.ends[:-1])[owners] == length
            starts = {
                key: places[at] for key, at in zip(keys[whole].tolist(), owners[whole].tolist(), strict=True)
            }
            sentences |= {length: starts} if starts else {}
        return cls(
            known=known,
            keys=_keys(telling),
            items_of=list(telling.values()),
            runs=Counter(item for items in telling.values() for item in items),
            sentences=sentences,
            said=said,
        )

    def long(self, owners: Sequence[int], read: Numbered) -> Met:
        """The rows that have a tenth of the runs of an item."""
        shared: Counter[tuple[int, int]] = Counter()
        for row, key in _met(self.keys, owners, read, RUN):
            shared.update((row, item) for item in self.items_of[key])
        for (row, item), count in shared.items():
            if (share := count / self.runs[item]) >= SHARE:
                yield row, item, round(share, _ROUNDED)

    def short(self, block: Sequence[Sequence[str]], owners: Sequence[int], read: Numbered) -> Met:
        """The rows that have an item of few words as a sentence."""
        for length, starts in self.sentences.items():
            keys = _keys(starts)
            for row, place in _met(keys, owners, read, length):
                item = starts[int(keys[place])]
                if any(_has_sentence(text, self.said[item]) for text in block[row]):
                    yield row, item, 1.0


def _keys(of: Mapping[int, object]) -> Any:
    import numpy as np

    return np.array(sorted(of), np.uint64)


def _met(keys: Any, owners: Sequence[int], read: Numbered, length: int) -> Iterator[tuple[int, int]]:
    """Each row with each of `keys` that its runs of `length` words have, by the place of the key."""
    import numpy as np

    runs, texts = read.runs(length)
    if not len(keys) or not len(runs):
        return
    places = np.searchsorted(keys, runs)
    some = keys[np.minimum(places, len(keys) - 1)] == runs
    rows = np.asarray(owners)[texts[some]]
    yield from zip(*(part.tolist() for part in distinct(rows, places[some])), strict=True)


def _has_sentence(text: str, said: Words) -> bool:
    """Whether the words stand in a text with nothing but signs, an end or a new line around them."""
    inside = r"[\W_]+".join(map(re.escape, said))
    around = r"[^\w\s,]|_|\n"
    return re.search(rf"(?:^|{around})[^\S\n]*{inside}[^\S\n]*(?:$|{around})", plain(text)) is not None
