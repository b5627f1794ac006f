"""How much of a text repeats itself, by runs of words and by lines (Rae et al. 2021, arXiv:2112.11446).

All shares are of characters, from 0.0 to 1.0. A text that is too short for a measure repeats nothing: 0.0.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, pairwise
from operator import sub

Run = tuple[str, ...]


class Runs:
    """The runs of words of a text that are met more than once."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._again: list[Mapping[Run, Sequence[int]]] = []  # of two words, of three...

    @cached_property
    def ends(self) -> Sequence[int]:
        """How many characters stand before each word, and before the end."""
        return [0, *accumulate(map(len, self.words))]

    def again(self, size: int) -> Mapping[Run, Sequence[int]]:
        """The runs of so many words (two or more) that are met more than once, with their places in order."""
        while len(self._again) < size - 1:
            length = len(self._again) + 2
            found: dict[Run, list[int]] = defaultdict(list)
            for start in self._longer(self._again[-1]) if self._again else self._pairs():
                found[tuple(self.words[start : start + length])].append(start)
            self._again.append({run: places for run, places in found.items() if len(places) > 1})
        return self._again[size - 2]

    def _pairs(self) -> Sequence[int]:
        """Where two words stand that are met more than once."""
        pairs = list(pairwise(self.words))
        counts = Counter(pairs)
        return (
            [start for start, pair in enumerate(pairs) if counts[pair] > 1]
            if len(counts) < len(pairs)
            else []
        )

    def _longer(self, again: Mapping[Run, Sequence[int]]) -> Sequence[int]:
        """Where a run with a word more may be met again: where both that it holds are."""
        there = set(chain.from_iterable(again.values()))
        return sorted(start for start in there if start + 1 in there)


def top_ngram(runs: Runs, sizes: Sequence[int] = (2, 3, 4)) -> float:
    """The largest share of the characters that one run of two to four words, met more than once, makes up."""
    most = 0.0
    for size in sorted(sizes):
        if not runs.again(size):
            break  # none is met again, so none that is longer is
        most = max(most, _most_met(runs, size))
    return most


def duplicate_ngrams(runs: Runs, size: int = 5) -> float:
    """The share of the characters that stand in runs of `size` words which were there before."""
    later = chain.from_iterable(places[1:] for places in runs.again(size).values())
    repeated = {place for start in later for place in range(start, start + size)}
    if not repeated:  # as in most texts
        return 0.0
    return _share(sum(len(runs.words[place]) for place in repeated), runs.ends[-1])


def duplicate_lines(lines: Sequence[str]) -> float:
    """The share of the characters that stand in lines which were there before."""
    seen: set[str] = set()
    repeated = 0
    for line in lines:
        if line in seen:
            repeated += len(line)
        seen.add(line)
    return _share(repeated, sum(map(len, lines)))


def _most_met(runs: Runs, size: int) -> float:
    """The share of the run that makes up most characters; of equal ones the last in order counts."""
    most, run = max((len(places) * _length(run), run) for run, places in runs.again(size).items())
    lengths = list(map(sub, runs.ends[size:], runs.ends))
    longest = max(lengths)
    if longest > most:
        return 0.0  # it is met once
    if longest == most:
        equal = (start for start, length in enumerate(lengths) if length == most)
        if any(tuple(runs.words[start : start + size]) > run for start in equal):
            return 0.0
    # Runs of one word overlap: `no no no no` holds `no no` three times in four words.
    return min(1.0, _share(most, runs.ends[-1]))


def _length(run: Run) -> int:
    return sum(map(len, run))


def _share(characters: int, whole: int) -> float:
    return characters / whole if whole else 0.0
