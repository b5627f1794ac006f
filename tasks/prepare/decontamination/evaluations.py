"""Which rows are not trained on because they hold an item of an evaluation set that is not the project's own.

A set of one's own (`held_out`) is a part of the rows: it is scored, its questions share frames with those of
training, and `own_sets` beside this file keeps apart what asks the same. An evaluation set that is only
listed (`split.evaluations`) is a stranger's, and a row may hold an item of it in any way: as it is, in other
case and signs, a little changed, or quoted in a longer text, in a document, in an answer.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploy.messages import Message
from tasks.prepare.decontamination.frequencies import Frequencies
from tasks.prepare.decontamination.nearness import frequencies, matches
from tasks.prepare.decontamination.overlap import overlaps
from tasks.prepare.similar.rows import Asked
from tasks.rows.identity import asked_text
from tasks.rows.records import Document, EvaluationItem, Example

CONTAMINATED = "contaminated"

# Less than for a set of one's own, with which rows share their frame: of 80 questions with a tenth of their
# words exchanged, among 20,000 rows, 0.55 found all and no other row, 0.7 found 75.
_NEAR = 0.55
_SIGNS = re.compile(r"(?<=\w)[^\w\s]+(?=\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A row, by its place, that holds an item of an evaluation set, and how surely: 1.0 if it is the same."""

    place: int
    item: EvaluationItem
    score: float
    reason: str = CONTAMINATED

    def told(self) -> str:
        """The item by its file and line, and the score; never its text."""
        return f"{self.item.id} {self.score:.2f}"


def holding(
    rows: Sequence[Asked], items: Sequence[EvaluationItem], *, among: Frequencies | None = None
) -> list[Holding]:
    """Those of the rows that hold an item, or ask nearly the same, with the item that they hold most of.

    `among` has the frequencies of words where these rows are a part of all that are searched.
    """
    if not items:
        return []
    readings, places = _readings(items)
    quoted = overlaps([texts_of(row) for row in rows], [asked_text(prompt) for prompt in readings])
    near = matches([row.prompt for row in rows], readings, near=_NEAR, among=among)
    found: list[Holding] = []
    for place in range(len(rows)):
        scores = [(quoted[place].share, quoted[place].item)] if place in quoted else []
        scores += [(near[place].nearness, near[place].held)] if place in near else []
        if scores:
            score, reading = max(scores, key=lambda each: each[0])
            found.append(Holding(place=place, item=items[places[reading]], score=score))
    return found


def frequencies_beside(rows: Sequence[Asked], items: Sequence[EvaluationItem]) -> Frequencies:
    """How often words stand in what the rows ask, as `holding` weighs them."""
    return frequencies([row.prompt for row in rows], _readings(items)[0])


def documents_holding(documents: Sequence[Document], items: Sequence[EvaluationItem]) -> Counter[str]:
    """How many documents hold an item, by the file of the item: they are searched, and stay."""
    if not items:
        return Counter()
    readings, places = _readings(items)
    quoted = overlaps([[document.text] for document in documents], [asked_text(each) for each in readings])
    return Counter(items[places[overlap.item]].source for overlap in quoted.values())


def told_by_file(items: Iterable[EvaluationItem], **holding: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """For each file of items how many it has, and by name how many of what is `holding` one there are."""
    counts = Counter(item.source for item in items)
    return {
        file: {"items": count, **{name: found.get(file, 0) for name, found in holding.items()}}
        for file, count in sorted(counts.items())
    }


def sentences(sets: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """What `told_by_file` counts, in words."""
    for file, counts in sets.items():
        taken, stay = counts["examples"] + counts["preferences"], counts["tested"] + counts["documents"]
        yield f"{taken} rows hold one of the {counts['items']} items of {file} and are not trained on" + (
            f"; {counts['tested']} rows of the test and {counts['documents']} documents do, and stay"
            if stay
            else ""
        )


def texts_of(row: Asked) -> list[str]:
    """All that a model would learn from in a row: every turn, and both answers of a preference."""
    return list(_texts(row))


def _texts(row: Asked) -> Iterator[str]:
    yield from (turn.content for turn in row.prompt)
    if isinstance(row, Example):
        yield row.answer
    else:
        yield from (row.chosen, row.rejected)


def _readings(items: Sequence[EvaluationItem]) -> tuple[list[Sequence[Message]], list[int]]:
    """Each item as it is and, where signs stand within words, without these; with the place of its item.

    Who takes signs out of a text makes `nonlinear` of `non-linear`; who reads words makes two of it.
    """
    readings: list[Sequence[Message]] = [item.prompt for item in items]
    places = list(range(len(items)))
    for place, item in enumerate(items):
        text = asked_text(item.prompt)
        if (glued := _SIGNS.sub("", text)) != text:
            readings.append((Message("user", glued),))
            places.append(place)
    return readings, places
