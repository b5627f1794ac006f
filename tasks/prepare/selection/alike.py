"""Examples that ask the same in other words and have the same answer: semantic duplicates.

Nearness is the cosine of the questions' vectors, which says nothing of a number, a name or a `not`. So two
rows are one only where the rules of near duplicates hold as well: nothing tells the questions apart, and no
question unlike them has their answer.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.prepare.similar.differences import told_apart
from tasks.rows.identity import asked_text, folded
from tasks.rows.records import Example

if TYPE_CHECKING:
    from deploy.knowledge.arrays import Vectors

_BLOCK = 4096  # rows that are searched for at once
_UNLIKE = 0.2  # cosine below which two questions are unlike: an answer that both have says nothing of either


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """The place of a row that another says in other words, the place of that one, and the cosine."""

    place: int
    of: int
    nearness: float


def semantic_duplicates(rows: Sequence[Example], vectors: "Vectors", *, near: float) -> list[Alike]:
    """The rows that say what an earlier one says, which stays itself, with their questions' cosine."""
    having: Mapping[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        having[folded(row.answer)].append(place)
    gone: dict[int, Alike] = {}
    for pair in _near(vectors, near):
        if pair.place in gone or pair.of in gone or not _same(rows[pair.place], rows[pair.of]):
            continue
        answered = vectors[having[folded(rows[pair.of].answer)]]
        if float((answered @ vectors[pair.of]).min()) >= _UNLIKE:
            gone[pair.place] = pair
    return list(gone.values())


def _near(vectors: "Vectors", near: float) -> list[Alike]:
    """All pairs of rows of unit length from a cosine on, the later first: by the place of both."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    found: list[Alike] = []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        ends, scores, places = index.range_search(block, near)
        for at in range(len(block)):
            here = slice(ends[at], ends[at + 1])
            for of, score in zip(places[here].tolist(), scores[here].tolist(), strict=True):
                if of < start + at:
                    found.append(Alike(place=start + at, of=of, nearness=round(score, 4)))
    return sorted(found, key=lambda pair: (pair.place, pair.of))


def _same(one: Example, other: Example) -> bool:
    alike = _setting(one) == _setting(other) and folded(one.answer) == folded(other.answer)
    return alike and not told_apart(asked_text(one.prompt), asked_text(other.prompt))


def _setting(row: Example) -> Hashable:
    """What else a row is for: two that differ in this teach different things."""
    system = tuple((turn.role, turn.content if turn.role == "system" else "") for turn in row.prompt)
    return (row.task, row.answerable, row.takes_all, frozenset(row.evidence), system)
