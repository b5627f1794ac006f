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
from tasks.prepare.decontamination.frequencies import Frequencies, hashed
from tasks.prepare.decontamination.runs import Numbered, Words, distinct
from tasks.prepare.decontamination.target_runs import TargetRuns
from tasks.rows.identity import asked_text
from tasks.rows.literal import STOP_WORDS, words

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
    prompts: Sequence[Sequence[Message]],
    held: Sequence[Sequence[Message]],
    *,
    near: float,
    among: Frequencies | None = None,
) -> dict[int, Match]:
    """By its place, each of `prompts` that is the same as, or at least as near as `near` to, one of `held`.

    A conversation matches by all that it asks, and by each single turn of its user. Where `prompts` are a
    part of those that words are weighed by, `among` has the frequencies in all of them.
    """
    targets = _Targets.of(held)
    owners, texts = _texts_of(prompts)
    if not targets.said or not texts:
        return {}
    found = {
        place: Match(targets.first[said], 1.0, same=True)
        for place, said in zip(owners, texts, strict=True)
        if said in targets.first
    }
    numbers = list(targets.first.values())
    for at, target, nearness in _nearest(texts, targets, near, among or _frequencies(texts, targets)):
        place = owners[at]
        if nearness >= near and (place not in found or nearness > found[place].nearness):
            found[place] = Match(numbers[target], nearness, same=False)
    return found


def frequencies(prompts: Sequence[Sequence[Message]], held: Sequence[Sequence[Message]]) -> Frequencies:
    """How often words stand in `prompts`, as `matches` weighs them to compare with `held`."""
    return _frequencies(_texts_of(prompts)[1], _Targets.of(held))


@dataclass(frozen=True, slots=True)
class _Targets:
    """What is looked for: the words of each question once, with the place of the first that has them."""

    first: dict[Words, int]
    said: Numbered
    known: dict[str, int]

    @classmethod
    def of(cls, held: Sequence[Sequence[Message]]) -> "_Targets":
        first: dict[Words, int] = {}
        for number, prompt in enumerate(held):
            first.setdefault(_read(asked_text(prompt)), number)
        known: dict[str, int] = {}
        return cls(first, Numbered(list(first), known, grow=True), known)


def _texts_of(prompts: Sequence[Sequence[Message]]) -> tuple[list[int], list[Words]]:
    """The texts that conversations are compared by, and the place of the conversation of each."""
    owners: list[int] = []
    texts: list[Words] = []
    for place, prompt in enumerate(prompts):
        for text in dict.fromkeys([asked_text(prompt), *(t.content for t in prompt if t.role == "user")]):
            owners.append(place)
            texts.append(_read(text))
    return owners, texts


def _read(text: str) -> Words:
    """The words of a question; one of signs alone is a word itself, so that it equals no other."""
    return tuple(words(text)) or (" ".join(text.split()),)


def _frequencies(texts: Sequence[Words], targets: _Targets) -> Frequencies:
    import numpy as np

    known = dict(targets.known)
    said = Numbered(texts, known, grow=True)
    numbers = distinct(said.owners, said.numbers - 1)[1]
    words = hashed(known)
    order = np.argsort(words)
    return Frequencies(
        texts=len(said),
        words=words[order],
        counts=np.bincount(numbers, minlength=len(known))[order],
        runs=TargetRuns(targets.said).counted(said),
    )


def _nearest(
    texts: Sequence[Words], targets: _Targets, near: float, among: Frequencies
) -> Iterator[tuple[int, int, float]]:
    """Each text that may be at least as near as `near` to a target: its place, that of the nearest, how near.

    Whatever is that near has one of the target's rarest words, so that only who has one is compared.
    """
    import numpy as np

    known = dict(targets.known)
    said = Numbered(texts, known, grow=True)
    held, have = _sets(targets.said, len(known)), _sets(said, len(known))
    weights = _weights(held, known, among)
    totals, whole = held @ weights, have @ weights
    shared_runs = TargetRuns(targets.said).shares(said, among)
    rarest = _rarest(held, weights, totals, near - _ROUNDED).T.tocsr()
    for start in range(0, len(texts), _BLOCK):
        met = have[start : start + _BLOCK] @ rarest
        met.sort_indices()  # so that of equally near targets the first is taken, wherever a part begins
        met = met.tocoo()
        nearest = np.zeros(_BLOCK)
        which = np.zeros(_BLOCK, np.int64)
        for part in range(0, met.nnz, _PAIRS):
            text, target = met.row[part : part + _PAIRS] + start, met.col[part : part + _PAIRS]
            shared = (have[text].multiply(held[target])) @ weights
            some = shared >= (near - _ROUNDED) * totals[target]
            text, target, shared = text[some], target[some], shared[some]
            jaccard = shared / (whole[text] + totals[target] - shared)
            # Both have to be there: a name at the end of a question stands in one of its runs alone.
            contained = shared_runs(text, target) * shared / totals[target]
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


def _weights(held: Any, known: dict[str, int], among: Frequencies) -> Any:
    """The weight of each word by how few of all texts have it: log(1 + texts / texts with it).

    Stop words weigh as if all had them: `please` says nothing, however rarely people say it.
    """
    import numpy as np

    many = held.shape[0] + among.texts
    counts = np.bincount(held.indices, minlength=held.shape[1]) + among.of(known)
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
