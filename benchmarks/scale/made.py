"""Passages and questions in any number: vectors between real ones, words as often as words are.

Nothing is embedded, so the words of a passage have nothing to do with its vector: what can be measured is how
long a search takes and whether an index finds what exact search finds, not whether that is the right passage.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy.knowledge.arrays import Vectors
from deploy.knowledge.chunking import KnowledgeDocument

DIMENSIONS = 384  # of the default embedder
PASSAGE_WORDS = (20, 32)  # at least, at most: two never fit into one chunk of `index.chunk_words`
PASSAGES = (1, 5)  # of a document
_VOCABULARY = 200_000
_NEIGHBOURS = 32
_BESIDE = 0.5  # length of what takes a passage away from the line between two real ones
ASKED_BESIDE = 1.0  # and a question, which is never worded as its passage
_BLOCK = 2**16
_SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with the vector that it is embedded as."""

    text: str
    vector: Vectors


def clusters(*, count: int, seed: int) -> Vectors:
    """Vectors that stand in for real ones where there are none: clusters of clusters, of unit length."""
    draw = np.random.default_rng(seed)
    made = draw.standard_normal((max(count // 50, 1), DIMENSIONS), dtype=np.float32)
    grown = made[draw.integers(len(made), size=count)]
    return _unit(grown + 0.6 * draw.standard_normal(grown.shape, dtype=np.float32))


def spun(real: Vectors, *, count: int, seed: int, beside: float = _BESIDE) -> Vectors:
    """`count` vectors of unit length, each between a real one and a neighbour of it, and a little beside."""
    import faiss

    draw = np.random.default_rng(seed)
    near = min(_NEIGHBOURS + 1, len(real))
    chosen = draw.integers(len(real), size=count)
    distinct, place = np.unique(chosen, return_inverse=True)
    _, neighbours = faiss.knn(real[distinct], real, near, metric=faiss.METRIC_INNER_PRODUCT)
    others = neighbours[place, draw.integers(near, size=count)]
    made = np.empty((count, real.shape[1]), dtype=np.float32)
    for start in range(0, count, _BLOCK):
        one, other = chosen[start : start + _BLOCK], others[start : start + _BLOCK]
        size = len(one)
        share = draw.random((size, 1), dtype=np.float32)
        noise = draw.standard_normal((size, real.shape[1]), dtype=np.float32)
        between = (1.0 - share) * real[one] + share * real[other]
        made[start : start + size] = _unit(_unit(between) + beside * _unit(noise))
    return made


def documents(*, passages: int, seed: int) -> Iterator[KnowledgeDocument]:
    """Documents with so many passages together: words by Zipf's law, and a name of its own for each title."""
    draw, word = np.random.default_rng(seed), _zipf()
    left, number = passages, 0
    while left:
        size = min(int(draw.integers(PASSAGES[0], PASSAGES[1] + 1)), left)
        lengths = draw.integers(PASSAGE_WORDS[0], PASSAGE_WORDS[1] + 1, size=size)
        text = "\n\n".join(" ".join(map(spelled, word(draw, int(length)))) for length in lengths)
        title = f"{spelled(number % 40)}.{spelled(number % 900)}.{spelled(_VOCABULARY + number)}"
        yield KnowledgeDocument(id=f"made/{number}", uri=f"made:{number}", title=title, text=text)
        left, number = left - size, number + 1


def questions(texts: Sequence[tuple[str, str]], real: Vectors, *, count: int, seed: int) -> list[Question]:
    """Questions about passages (title, text): common words, some of its own, and its name in half of them."""
    draw, word = np.random.default_rng([seed, 1]), _zipf()
    vectors = spun(real, count=count, seed=seed + 1, beside=ASKED_BESIDE)
    made: list[Question] = []
    for number in range(count):
        title, text = texts[int(draw.integers(len(texts)))]
        common = [spelled(int(rank)) for rank in draw.integers(30, size=5)]
        own = draw.choice(text.split(), size=4, replace=False).tolist()
        named = [f"`{title.rpartition('.')[2]}`"] if draw.random() < 0.5 else []
        asked = [*common, *own, *map(spelled, word(draw, 2)), *named]
        draw.shuffle(asked)
        made.append(Question(text=" ".join(asked) + f" {number}?", vector=vectors[number]))
    return made


def spelled(rank: int) -> str:
    """A word of its own for each number: the commonest are the shortest."""
    word = ""
    while True:
        rank, syllable = divmod(rank, len(_SYLLABLES))
        word += _SYLLABLES[syllable]
        if not rank:
            return word
        rank -= 1


def _zipf() -> Callable[[np.random.Generator, int], list[int]]:
    """Draws ranks of words, a word of rank r about 1/r times as often as the first (Zipf 1949)."""
    up_to = np.cumsum(1.0 / np.arange(1, _VOCABULARY + 1))
    up_to /= up_to[-1]

    def drawn(draw: np.random.Generator, count: int) -> list[int]:
        ranks: NDArray[np.int64] = np.searchsorted(up_to, draw.random(count))
        return [int(rank) for rank in ranks]

    return drawn


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
