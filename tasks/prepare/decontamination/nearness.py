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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.messages import Message
from tasks.prepare.decontamination.runs import Numbered, Words, distinct
from tasks.rows.identity import asked_text
from tasks.rows.literal import STOP_WORDS, words

_RUN = 3
_FEWEST = 8  # words of a question that is looked for within longer ones
_BLOCK = 4096  # texts compared at once, so that memory stays bounded
_PAIRS = 100_000  # of them and questions, likewise
_ROUNDED = 1e-4  # nearness is rounded to this


@dataclass(frozen=True, slots=True)
class Match:
    """The held-out question that another is like: its place among them, and how near (1.0: the same)."""

    held: int
    nearness: float
    same: bool


def matches(
    prompts: Sequence[Sequence[Message]], held: Sequence[Sequence[Message]], *, near: float
) -> dict[int, Match]:
    """By its place, each of `prompts` that is the same as, or at least as near as `near` to, one of `held`.

    A conversation matches by all that it asks, and by each single turn of its user.
    """
    first: dict[Words, int] = {}
    for number, prompt in enumerate(held):
        first.setdefault(_read(asked_text(prompt)), number)
    targets, numbers = list(first), list(first.values())
    owners: list[int] = []
    texts: list[Words] = []
    for place, prompt in enumerate(prompts):
        for text in dict.fromkeys([asked_text(prompt), *(t.content for t in prompt if t.role == "user")]):
            owners.append(place)
            texts.append(_read(text))
    if not targets or not texts:
        return {}
    found = {
        place: Match(first[said], 1.0, same=True)
        for place, said in zip(owners, texts, strict=True)
        if said in first
    }
    for at, target, nearness in _nearest(texts, targets, near):
        place = owners[at]
        if nearness >= near and (place not in found or nearness > found[place].nearness):
            found[place] = Match(numbers[target], nearness, same=False)
    return found


def _read(text: str) -> Words:
    """The words of a question; one of signs alone is a word itself, so that it equals no other."""
    return tuple(words(text)) or (" ".join(text.split()),)


def _nearest(
    texts: Sequence[Words], targets: Sequence[Words], near: float
) -> Iterator[tuple[int, int, float]]:
    """Each text that may be at least as near as `near` to a target: its place, that of the nearest, how near.

    Whatever is that near has one of the target's rarest words, so that only who has one is compared.
    """
    import numpy as np

    known: dict[str, int] = {}
    asked, said = Numbered(targets, known, grow=True), Numbered(texts, known, grow=True)
    held, have = _sets(asked, len(known)), _sets(said, len(known))
    weights = _weights(held, have, known)
    totals, whole = held @ weights, have @ weights
    runs = _Runs(asked, said)
    rarest = _rarest(held, weights, totals, near - _ROUNDED).T.tocsr()
    for start in range(0, len(texts), _BLOCK):
        met = (have[start : start + _BLOCK] @ rarest).tocoo()
        nearest = np.zeros(_BLOCK)
        which = np.zeros(_BLOCK, np.int64)
        for part in range(0, met.nnz, _PAIRS):
            text, target = met.row[part : part + _PAIRS] + start, met.col[part : part + _PAIRS]
            shared = (have[text].multiply(held[target])) @ weights
            some = shared >= (near - _ROUNDED) * totals[target]
            text, target, shared = text[some], target[some], shared[some]
            jaccard = shared / (whole[text] + totals[target] - shared)
            # Both have to be there: a name at the end of a question stands in one of its runs alone.
            contained = runs.share(text, target) * shared / totals[target]
            value = np.maximum(jaccard, contained).round(4)
            order = np.lexsort((-target, value))  # the last one stays: the nearest, of several the first
            better = order[value[order] > nearest[text[order] - start]]
            nearest[text[better] - start], which[text[better] - start] = value[better], target[better]
        for place in np.flatnonzero(nearest).tolist():
            yield start + place, int(which[place]), float(nearest[place])


def _sets(texts: Numbered, most: int) -> Any:
    """One row a text, 1.0 in the column of each word that it has."""
    import numpy as np
    from scipy.sparse import csr_array

    owners, columns = distinct(texts.owners, texts.numbers - 1)
    ends = np.concatenate([[0], np.bincount(owners, minlength=len(texts)).cumsum()])
    return csr_array((np.ones(len(columns)), columns, ends), shape=(len(texts), most))


def _weights(held: Any, have: Any, known: dict[str, int]) -> Any:
    """The weight of each word by how few of all texts have it: log(1 + texts / texts with it).

    Stop words weigh as if all had them: `please` says nothing, however rarely people say it.
    """
    import numpy as np

    many = held.shape[0] + have.shape[0]
    counts = np.bincount(np.concatenate([held.indices, have.indices]), minlength=held.shape[1])
    counts[[known[word] - 1 for word in STOP_WORDS if word in known]] = many
    return np.log1p(many / counts)


def _rarest(held: Any, weights: Any, totals: Any, near: float) -> Any:
    """Of each target the heaviest words, so many that the others weigh less than `near` of it."""
    import numpy as np
    from scipy.sparse import csr_array

    owners = np.repeat(np.arange(held.shape[0]), np.diff(held.indptr))
    order = np.lexsort((-weights[held.indices], owners))
    weight = weights[held.indices[order]]
    before = weight.cumsum() - weight
    before -= before[held.indptr[:-1]][owners]
    kept = totals[owners] - before >= near * totals[owners]
    return csr_array((np.ones(kept.sum()), (owners[kept], held.indices[order][kept])), shape=held.shape)


class _Runs:
    """The runs of three words of those targets that are long enough to be looked for within others."""

    def __init__(self, asked: Numbered, said: Numbered) -> None:
        import numpy as np

        owners, keys = _long(asked)
        self._keys = np.unique(keys)
        places = np.searchsorted(self._keys, keys)
        said_by, said_places = self._known(*_distinct_runs(said))
        counts = np.bincount(np.concatenate([places, said_places]), minlength=len(self._keys))
        weights = np.log1p((len(asked) + len(said)) / np.maximum(counts, 1))
        self._of = _table(owners, places, weights[places], (len(asked), len(self._keys)))
        self._in = _table(said_by, said_places, np.ones(len(said_by)), (len(said), len(self._keys)))
        self._totals = np.maximum(self._of.sum(axis=1), 1e-9)  # no runs: none shared

    def _known(self, owners: Any, keys: Any) -> tuple[Any, Any]:
        """Those that are runs of a target, by their places among these."""
        import numpy as np

        places = np.searchsorted(self._keys, keys)
        some = places < len(self._keys)
        some[some] = self._keys[places[some]] == keys[some]
        return owners[some], places[some]

    def share(self, text: Any, target: Any) -> Any:
        """Of the weight of each target's runs, how much of it the text has."""
        return self._in[text].multiply(self._of[target]).sum(axis=1) / self._totals[target]


def _distinct_runs(texts: Numbered) -> tuple[Any, Any]:
    keys, owners = texts.runs(_RUN)
    return distinct(owners, keys)


def _long(texts: Numbered) -> tuple[Any, Any]:
    """The distinct runs of the texts that have words enough."""
    owners, keys = _distinct_runs(texts)
    some = (texts.ends[1:] - texts.ends[:-1])[owners] >= _FEWEST
    return owners[some], keys[some]


def _table(rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)
