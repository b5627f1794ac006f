"""ROUGE-L (Lin 2004): how much of a good text another one repeats, in order."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z0-9]+")


def rouge_l(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """The F-measure of the longest common subsequence of words, in 0..1.

    Words are runs of letters and digits in lower case, without stemming, as Google's `rouge-score` has them.
    """
    words, wanted = _WORD.findall(text.lower()), _WORD.findall(gold.lower())
    if not words or not wanted:
        return float(words == wanted)
    return 2 * _common(words, wanted) / (len(words) + len(wanted))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = row
        row = [0]
        for place, wanted in enumerate(other):
            row.append(before[place] + 1 if word == wanted else max(row[-1], before[place + 1]))
    return row[-1]
