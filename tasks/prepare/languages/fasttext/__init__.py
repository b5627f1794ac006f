"""A classifier of fastText, read from its file: it says what the library says, of many lines at once.

To fastText a line is the mean of what is known of its words and of their pieces of two to four letters
(Bojanowski et al. 2017, arXiv:1607.04606). The library looks all of them up again in each line. Here each
word is looked up once for all lines, which takes a quarter of the time.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from tasks.prepare.languages.fasttext.file import Classifier, Floats
from tasks.prepare.languages.fasttext.pieces import sums

_CHARACTERS = 2**20  # of lines that are read at once: some 30 MB
_ROWS = 512  # of which chances are worked out at once: so few stay near the processor
_LITTLE = np.float32(1e-5)  # the library adds it to each chance before it takes the logarithm
_END = "</s>"  # the word that the library puts behind each line
Guessed = Sequence[tuple[str, float]]  # labels with their chances, the likeliest first


class Labels:
    """The likeliest labels of lines of text by a classifier."""

    def __init__(self, known: Classifier) -> None:
        self._known = known

    def __call__(self, lines: Sequence[str], most: int) -> list[Guessed]:
        """So many labels for each line, without those whose chance is below 1 in 100,000.

        The words of a line are parted by blanks; it holds no line's end.
        """
        return [guessed for block in _blocks(lines) for guessed in self._of_block(block, most)]

    def _of_block(self, lines: Sequence[str], most: int) -> Iterator[Guessed]:
        means, names = self._means(lines), self._known.labels
        for start in range(0, len(means), _ROWS):
            chances = self._chances(means[start : start + _ROWS])
            if most == 1:
                best = chances.argmax(axis=1)[:, None]
            else:
                best = np.argsort(-chances, axis=1, kind="stable")[:, :most]
            shares = np.exp(np.take_along_axis(chances, best, axis=1)).clip(max=1.0)
            for labels, found in zip(best.tolist(), shares.tolist(), strict=True):
                told = zip(labels, found, strict=True)
                yield [(names[label], share) for label, share in told if share >= _LITTLE]

    def _means(self, lines: Sequence[str]) -> Floats:
        """The mean of what is known of the words of each line, and of its end."""
        number = defaultdict[str, int](count().__next__, {})
        ends, without = number[_END], number[""]  # where blanks follow each other no word stands
        words: list[int] = []
        starts: list[int] = []
        for line in lines:
            starts.append(len(words))
            words.append(ends)
            # To the library a zero byte parts words as a blank does.
            words += map(number.__getitem__, line.replace("\0", " ").split(" "))
        table = sums(list(number), self._known)
        table[without] = 0
        table[ends] = [*self._known.rows[self._known.words[_END]], 1]
        total: Floats = np.add.reduceat(table.take(words, axis=0), starts)
        means: Floats = total[:, :-1] / total[:, -1:]
        return means

    def _chances(self, means: Floats) -> Floats:
        """The logarithms of the chances of the labels, a row for each line."""
        turns = means @ self._known.turns.T
        right = (np.tanh(turns / 2) + 1) / 2  # the logistic function, of which no value is too large
        logs = np.log(np.concatenate((1 - right, right), axis=1) + _LITTLE)
        chances: Floats = logs @ self._known.paths.T
        return chances


def _blocks(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The lines in their order, so many at once as have some `_CHARACTERS`."""
    start = size = 0
    for end, line in enumerate(lines):
        if size + len(line) > _CHARACTERS and end > start:
            yield lines[start:end]
            start, size = end, 0
        size += len(line)
    if start < len(lines):
        yield lines[start:]
