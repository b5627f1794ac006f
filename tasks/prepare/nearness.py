"""Which questions are the same as, or near to, others.

Two questions are as near as the larger of two shares of words, each word weighing the more the rarer it is
among all questions, so that a common frame ("what is the default of") does not make two questions one:

- of the words of both, those that they share (Jaccard): finds a question in other order or a little changed;
- of the words of the held-out question, and of its runs of three words, those in the other, multiplied: finds
  it within a longer text. Only from eight words on, since a long text holds a shorter one by chance.

Measured on the default rows, 200 questions against 11,280 others: at 0.7 three were near, and each of them
asks the same; at 0.6 there were 25. Of questions with 5, 10, 15 and 20 % of their words exchanged 0.7 found
82, 84, 70 and 55 %, 0.8 found 69, 65, 48 and 31 %. The same question in other words is not found by words.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from deploy.messages import Message
from tasks.rows.literal import STOP_WORDS, words

_RUN = 3
_FEWEST = 8  # words of a question that is looked for within longer ones
_BLOCK = 4096  # questions compared at once, so that memory stays bounded

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """The held-out question that another is like: its place among them, and how near (1.0: the same)."""

    held: int
    nearness: float
    same: bool


def asked_text(prompt: Sequence[Message]) -> str:
    """What a conversation asks: all turns of the user, since the last alone may mean nothing."""
    return "\n".join(turn.content for turn in prompt if turn.role == "user")


def matches(
    prompts: Sequence[Sequence[Message]], held: Sequence[Sequence[Message]], *, near: float
) -> dict[int, Match]:
    """By its place, each of `prompts` that is the same as, or at least as near as `near` to, one of `held`.

    A conversation matches by all that it asks, and by each single turn of its user.
    """
    targets = [_read(asked_text(prompt)) for prompt in held]
    owners: list[int] = []
    texts: list[Words] = []
    for place, prompt in enumerate(prompts):
        for text in dict.fromkeys([asked_text(prompt), *(t.content for t in prompt if t.role == "user")]):
            owners.append(place)
            texts.append(_read(text))
    if not targets or not texts:
        return {}
    first = {text: number for number, text in reversed(list(enumerate(targets)))}
    found: dict[int, Match] = {}
    for place, said, (number, nearness) in zip(owners, texts, _nearest(texts, targets), strict=True):
        if said in first:
            found[place] = Match(first[said], 1.0, same=True)
        elif nearness >= near and (place not in found or nearness > found[place].nearness):
            found[place] = Match(number, nearness, same=False)
    return found


def _read(text: str) -> Words:
    """The words of a question; one of signs alone is a word itself, so that it equals no other."""
    return tuple(words(text)) or (" ".join(text.split()),)


def _nearest(texts: Sequence[Words], targets: Sequence[Words]) -> Iterator[tuple[int, float]]:
    """For each text the place of the target that it is nearest to, and how near."""
    import numpy as np

    said, asked = [set(text) for text in texts], [set(text) for text in targets]
    word_weights = _weights([*said, *asked])
    jaccard = _Shares(asked, word_weights)
    runs = [_runs(text) if len(text) >= _FEWEST else set() for text in targets]
    said_runs = [_runs(text) for text in texts]
    within = _Shares(runs, _weights([*said_runs, *runs]))
    for start in range(0, len(texts), _BLOCK):
        part = slice(start, start + _BLOCK)
        totals = np.array([[math.fsum(word_weights[word] for word in text)] for text in said[part]])
        shared = jaccard.shared(said[part])
        near = shared / (totals + jaccard.totals - shared)
        # Both have to be there: a name at the end of a question stands in one of its runs alone.
        runs_there = within.shared(said_runs[part]) / np.maximum(within.totals, 1e-9)  # no runs: none shared
        contained = runs_there * shared / jaccard.totals
        nearest = np.maximum(near, contained).round(4)
        yield from zip(nearest.argmax(axis=1).tolist(), nearest.max(axis=1).tolist(), strict=True)


def _runs(text: Words) -> set[Words]:
    return {text[start : start + _RUN] for start in range(len(text) - _RUN + 1)}


def _weights(parts: Sequence[Set[Hashable]]) -> dict[Hashable, float]:
    """The weight of each thing by how few of the parts have it: log(1 + parts / parts with it).

    Stop words weigh as if all parts had them: `please` says nothing, however rarely people say it.
    """
    counts: dict[Hashable, int] = Counter(thing for part in parts for thing in part)
    counts |= dict.fromkeys(STOP_WORDS, len(parts))
    return {thing: math.log1p(len(parts) / count) for thing, count in counts.items()}


class _Shares:
    """What the targets hold, as sparse columns; `totals` is the weight of each target."""

    def __init__(self, targets: Sequence[Set[Hashable]], weights: Mapping[Hashable, float]) -> None:
        import numpy as np

        held = sorted({thing for target in targets for thing in target}, key=repr)
        self._columns = {thing: column for column, thing in enumerate(held)}
        self._weighted = self._incidence(targets).multiply([weights[thing] for thing in held]).tocsr()
        self.totals = np.asarray(self._weighted.sum(axis=1)).reshape(1, -1)

    def shared(self, texts: Sequence[Set[Hashable]]) -> Any:
        """The weight of what each text (row) shares with each target (column)."""
        return (self._incidence(texts) @ self._weighted.T).toarray()

    def _incidence(self, parts: Sequence[Set[Hashable]]) -> Any:
        """One row a part, 1.0 in the column of each thing of the targets that it has."""
        import numpy as np
        from scipy.sparse import csr_array

        # In order: sums of floats depend on theirs, and that of a set is another in each process.
        columns = [sorted(self._columns[thing] for thing in part & self._columns.keys()) for part in parts]
        ends = np.cumsum([0, *map(len, columns)])
        found = np.fromiter((column for some in columns for column in some), dtype=np.int64, count=ends[-1])
        return csr_array((np.ones(len(found)), found, ends), shape=(len(parts), len(self._columns)))
