"""Drops rows that say nearly what an earlier row says: that one stays, and stands for them.

Training wants a question in many wordings. So an example or a preference goes only where its answer is the
same, and where this says something of the question: an answer that questions unlike each other have in common
(`Yes.`, `The documentation does not say.`) does not. A short answer is the same to the letter; in a long one
some words may differ, but no number, name or code, and a negation only among other words. What has another
answer stays; `split` keeps it on the side of the row that it is near to. A document is knowledge, and goes
only where it has no word that the earlier one lacks.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from tasks.prepare.clean.duplicates import pointed, standing_for
from tasks.prepare.clean.parts import (
    ASKED,
    DOCUMENTS,
    KINDS,
    SHARED,
    Known,
    Notes,
    Part,
    Seen,
    Shard,
    as_array,
    hashes,
    places_in,
    shard_name,
    told_to_shards,
    without_gone,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.tables import Table
from tasks.prepare.clean.verdict import Reason, Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.similar.differences import told_apart
from tasks.prepare.similar.pairs import Pair
from tasks.prepare.similar.rows import Asked, ask_the_same, said
from tasks.rows.held_out import own_name
from tasks.rows.literal import words
from tasks.rows.records import Document, Example, Row, RowKind, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

_LONG = 20  # words of an answer that may differ in some of them
_SAME = 0.8  # share of its words that has to be in the other
_REWORDED = 0.95  # share of words from which on a `not` is what the difference is, and not one of its words
_BLOCK = 1 << 14  # pairs whose rows are in memory at once


def without_near(settings: CleanSettings) -> tuple[Part, ...]:
    """Rows without near repetitions; what rests on a document that goes rests on the one that stays.

    A test set of the user's own is left whole, and stands for no other row: `split` takes those out.
    """
    if settings.near_duplicates is None:
        return ()
    return (
        Part(noted=KINDS, note=_noted, decide=_decide, applied=KINDS, apply=_applied),
        Part(noted=ASKED, note=_noted_answers, decide=_decide_asked, applied=ASKED, apply=without_gone),
    )


drop_near_duplicates = Whole(without_near)


def _noted(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """What documents are like, what rows say, and which of them point to documents."""
    import numpy as np

    del settings
    if shard.kind in DOCUMENTS:
        known.near(shard.kind).add(shard.number, [row.text for row in shard.rows.documents])
        return {"id": hashes(row.id for row in shard)}
    links = [(place, name) for place, row in enumerate(shard.asked) for name in row.evidence]
    return {
        **_noted_asked(shard, known),
        "row": np.array([place for place, _ in links], np.int64),
        "evidence": hashes(name for _, name in links),
        "withheld": np.unique(hashes({name for row in shard.asked for name in row.withheld})),
    }


def _decide(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    yield from _first_answers(seen)
    yield from _needless_documents(seen, settings)


def _needless_documents(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    """Beside the documents that go, for the ids of those: the id of the document that stays."""
    import numpy as np

    [kind], table, ids = DOCUMENTS, seen.tables["document"], seen.column("document", "id")
    pairs = _near_pairs(seen, kind, settings)
    hidden = np.unique(np.concatenate([seen.column(each, "withheld") for each in ASKED]))
    later = np.array([pair.later for pair in pairs], np.int64)
    pairs = [pair for pair, at in zip(pairs, places_in(hidden, ids[later]).tolist(), strict=True) if at < 0]
    quotes = _quotes(seen, np.unique(ids[later]))
    needless = [pair for pair, stays, goes in _with_rows(table, pairs) if _is_needless(stays, goes, quotes)]
    gone = _standing(needless)
    yield from _told(kind, table, gone)
    places = np.array(sorted(gone), np.int64)
    old, at = np.unique(ids[places], return_index=True)
    stay = np.array([gone[place].earlier for place in places[at].tolist()], np.int64)
    yield SHARED, {"old": old, "new": as_array(table.ids_at(stay))}


def _is_needless(stays: Row, goes: Row, quotes: dict[str, set[str]]) -> bool:
    """Whether a document says nothing that the other does not."""
    return (
        isinstance(stays, Document)
        and isinstance(goes, Document)
        and words(stays.title) == words(goes.title)
        and stays.metadata == goes.metadata
        and all(quote in stays.text for quote in quotes[goes.id])
        and Counter(words(goes.text)) <= Counter(words(stays.text))
        and not told_apart(stays.text, goes.text)
    )


def _quotes(seen: Seen, documents: "NDArray[np.bytes_]") -> dict[str, set[str]]:
    """What rows quote of documents with the given keys of ids, by ids."""
    import numpy as np

    quotes: dict[str, set[str]] = defaultdict(set)
    for kind in ASKED:
        table = seen.tables[kind]
        for number, notes in enumerate(seen.notes[kind]):
            rests = places_in(documents, notes["evidence"]) >= 0
            places = np.unique(notes["row"][rests]) + table.starts()[number]
            for row in table.rows_at(places):
                if not isinstance(row, Document):
                    for name in row.evidence:
                        quotes[name].add(row.quote)
    return quotes


def _applied(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    if shard.kind in DOCUMENTS:
        return without_gone(shard, known, settings)
    kept_as = standing_for(shard, known)
    evidence = ((row, pointed(row.evidence, kept_as)) for row in shard.asked)
    rows = (row if ids == row.evidence else replace(row, evidence=ids) for row, ids in evidence)
    return Verdict(rows=Rows.of(rows))


def _noted_asked(shard: Shard, known: Known) -> Notes:
    """What rows say, and their answers; but for those of a test set of the user's own."""
    import numpy as np

    own = [bool(own_name(row)) for row in shard.asked]
    others = [row for row, is_own in zip(shard.asked, own, strict=True) if not is_own]
    known.near(shard.kind).add(shard.number, [said(row) for row in others])
    places = np.flatnonzero(~np.array(own, bool))
    return {"place": places, "answer": hashes(map(_answers, others))}


def _first_answers(seen: Seen) -> Iterator[tuple[str, Notes]]:
    """Of each answer the row that is the first to give it, for the shard that it is in."""
    import numpy as np

    for kind in ASKED:
        _, first = np.unique(seen.column(kind, "answer"), return_index=True)
        first.sort()
        start = 0
        for number, notes in enumerate(seen.notes[kind]):
            end = start + len(notes["answer"])
            here = first[np.searchsorted(first, start) : np.searchsorted(first, end)] - start
            yield (
                shard_name(kind, number),
                {
                    "place": notes["place"],
                    "answer": notes["answer"],
                    "first": notes["place"][here],
                },
            )
            start = end


def _noted_answers(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    del settings
    asked = shard.asked
    answers = ["\n".join(_answers(asked[place])) for place in known.own["first"].tolist()]
    known.near(f"{shard.kind}-answers").add(shard.number, answers)
    return {}


def _decide_asked(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    for kind in ASKED:
        yield from _told(kind, seen.tables[kind], _standing(_near_asked(seen, kind, settings)))


def _near_asked(seen: Seen, kind: RowKind, settings: CleanSettings) -> Iterator[Pair]:
    """The pairs of rows that are the same but for the wording."""
    import numpy as np

    table = seen.tables[kind]
    starts = table.starts().tolist()
    before = [seen.before[shard_name(kind, number)] for number in range(len(table.sizes))]
    places = np.concatenate([notes["place"] + start for notes, start in zip(before, starts, strict=False)])
    _, first, answer = np.unique(
        np.concatenate([notes["answer"] for notes in before]), return_index=True, return_inverse=True
    )
    asked: list[Pair] = []  # by their numbers among `places`
    same: list[bool] = []
    pairs = _near_pairs(seen, kind, settings)
    for pair, one, other in _with_rows(table, pairs, places):
        if isinstance(one, Document) or isinstance(other, Document) or not ask_the_same(one, other):
            continue
        asked.append(pair)
        same.append(_setting(one) == _setting(other) and all(map(_alike, _answers(one), _answers(other))))
    asking = _united(len(places), asked)
    # Answers are numbered as they come first, which is how they were given to be compared.
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    families = _united(len(first), _near_pairs(seen, f"{kind}-answers", settings))[number[answer]]
    # The sets of near rows that give an answer: it is that of one question where there is one set.
    sets = np.unique(families.astype(np.int64) * len(places) + asking) // max(len(places), 1)
    alone = np.bincount(sets, minlength=len(first)) == 1
    for pair, is_same in zip(asked, same, strict=True):
        if is_same and alone[families[pair.earlier]]:
            yield Pair(int(places[pair.earlier]), int(places[pair.later]), pair.nearness)


def _near_pairs(seen: Seen, name: str, settings: CleanSettings) -> list[Pair]:
    assert settings.near_duplicates is not None
    return list(seen.near(name).pairs(near=settings.near_duplicates, each=seen.executor.map))


def _with_rows(
    table: Table, pairs: Iterable[Pair], places: "Places | None" = None
) -> Iterator[tuple[Pair, Row, Row]]:
    """Pairs with their rows; `places` says where the texts that were compared stand among the rows."""
    import numpy as np

    ahead = iter(sorted(pairs, key=lambda pair: (pair.later, pair.earlier)))
    while some := list(islice(ahead, _BLOCK)):
        ends = np.array([(pair.earlier, pair.later) for pair in some], np.int64)
        ends = ends if places is None else places[ends]
        wanted = np.unique(ends)
        rows = dict(zip(wanted.tolist(), table.rows_at(wanted), strict=True))
        for pair, (one, other) in zip(some, ends.tolist(), strict=True):
            yield pair, rows[one], rows[other]


def _united(count: int, pairs: Sequence[Pair]) -> "NDArray[np.int32]":
    """A number for each of so many, the same for those that pairs tie together."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(pair.earlier, pair.later) for pair in pairs], np.int64).reshape(-1, 2)
    tied = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return connected_components(tied, directed=False)[1] if count else np.empty(0, np.int32)


def _told(kind: RowKind, table: Table, gone: dict[int, Pair]) -> Iterator[tuple[str, Notes]]:
    import numpy as np

    places = sorted(gone)
    stay = table.ids_at(np.array([gone[place].earlier for place in places], np.int64))
    reasons = [
        Reason("near_duplicate", f"of {name}, nearness {gone[place].nearness:.2f}")
        for place, name in zip(places, stay, strict=True)
    ]
    yield from told_to_shards(kind, table, np.array(places, np.int64), reasons)


def _standing(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """For the place of each row that goes the pair with the row that stands for it, which stays itself."""
    gone: dict[int, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: (pair.later, pair.earlier)):
        if pair.earlier not in gone and pair.later not in gone:
            gone[pair.later] = pair
    return gone


def _answers(row: Asked) -> tuple[str, ...]:
    """The answer, or both answers, without what is no matter: the blanks."""
    answers = (row.answer,) if isinstance(row, Example) else (row.chosen, row.rejected)
    return tuple(" ".join(answer.split()) for answer in answers)


def _alike(one: str, other: str) -> bool:
    """Whether two answers are the same: to the letter, or both long, with most words and all names alike."""
    if one == other:
        return True
    here, there = words(one), words(other)
    same, most = (Counter(here) & Counter(there)).total(), max(len(here), len(there))
    if min(len(here), len(there)) < _LONG or same < _SAME * most:
        return False
    return not told_apart(one, other, negations=same > _REWORDED * most)


def _setting(row: Asked) -> Hashable:
    """What else a row is for: two that differ in this teach or measure different things."""
    system = tuple((turn.role, turn.content if turn.role == "system" else "") for turn in row.prompt)
    shared = (row.task, row.quote, row.held_out, row.takes_all, system)
    return (*shared, row.answerable if isinstance(row, Example) else row.label)
