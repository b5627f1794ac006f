"""How much of a text repeats itself, by runs of words and by lines (Rae et al. 2021, arXiv:2112.11446).

All shares are of characters, from 0.0 to 1.0. A text that is too short for a measure repeats nothing: 0.0.
"""

from collections import Counter
from collections.abc import Sequence


def top_ngram(words: Sequence[str], sizes: Sequence[int] = (2, 3, 4)) -> float:
    """The largest share of the characters that one run of two to four words, met more than once, makes up."""
    return max((_most_met(words, size) for size in sizes), default=0.0)


def duplicate_ngrams(words: Sequence[str], size: int = 5) -> float:
    """The share of the characters that stand in runs of `size` words which were there before."""
    seen: set[tuple[str, ...]] = set()
    repeated = [False] * len(words)
    for start in range(len(words) - size + 1):
        run = tuple(words[start : start + size])
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


def _most_met(words: Sequence[str], size: int) -> float:
    runs = Counter(zip(*(words[start:] for start in range(size)), strict=False))
    if not runs:
        return 0.0
    run, count = max(runs.items(), key=lambda item: (item[1] * sum(map(len, item[0])), item[0]))
    # Runs of one word overlap: `no no no no` holds `no no` three times in four words.
    return min(1.0, _share(count * sum(map(len, run)), words)) if count > 1 else 0.0


def _share(characters: int, parts: Sequence[str]) -> float:
    whole = sum(map(len, parts))
    return characters / whole if whole else 0.0
