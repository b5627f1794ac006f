"""How much of a text repeats itself, by runs of words and by lines (Rae et al. 2021, arXiv:2112.11446).

All shares are of characters, from 0.0 to 1.0. A text that is too short for a measure repeats nothing: 0.0.
"""

from collections import Counter
from collections.abc import Iterator, Sequence


def top_ngram(words: Sequence[str], sizes: Sequence[int] = (2, 3, 4)) -> float:
    """The largest share of the characters that one run of two to four words, met more than once, makes up."""
    most = 0.0
    for size in sorted(sizes):
        runs = Counter(_runs(words, size))
        if runs.total() == len(runs):
            break  # none is met again, so none that is longer is
        most = max(most, _most_met(runs, words))
    return most


def duplicate_ngrams(words: Sequence[str], size: int = 5) -> float:
    """The share of the characters that stand in runs of `size` words which were there before."""
    runs = list(_runs(words, size))
    if len(set(runs)) == len(runs):  # as in most texts
        return 0.0
    seen: set[tuple[str, ...]] = set()
    repeated = [False] * len(words)
    for start, run in enumerate(runs):
        if run in seen:
            repeated[start : start + size] = [True] * size
        seen.add(run)
    return _share(sum(len(word) for word, again in zip(words, repeated, strict=True) if again), words)


def duplicate_lines(lines: Sequence[str]) -> float:
    """The share of the characters that stand in lines which were there before."""
    seen: set[str] = set()
    repeated = 0
    for line in lines:
        if line in seen:
            repeated += len(line)
        seen.add(line)
    return _share(repeated, lines)


def _runs(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _most_met(runs: Counter[tuple[str, ...]], words: Sequence[str]) -> float:
    """The share of the run that makes up most characters; of equal ones the last in order counts."""
    most, run = max((count * _length(run), run) for run, count in runs.items() if count > 1)
    lengths = [len(word) for word in words]
    longest = max(map(sum, zip(*(lengths[start:] for start in range(len(run))), strict=False)))
    if longest > most:
        return 0.0  # it is met once
    if longest == most and any(_length(other) == most and other > run for other in runs):
        return 0.0
    # Runs of one word overlap: `no no no no` holds `no no` three times in four words.
    return min(1.0, _share(most, words))


def _length(run: Sequence[str]) -> int:
    return sum(map(len, run))


def _share(characters: int, parts: Sequence[str]) -> float:
    whole = sum(map(len, parts))
    return characters / whole if whole else 0.0
