"""Drops rows that say nearly what an earlier row says: that one stays, and stands for them.

Training wants a question in many wordings. So an example or a preference goes only where its answer is the
same, and where this says something of the question: an answer that questions unlike each other have in common
(`Yes.`, `The documentation does not say.`) does not. A short answer is the same to the letter; in a long one
some words may differ, but no number, name or code, and a negation only among other words. What has another
answer stays; `split` keeps it on the side of the row that it is near to. A document is knowledge, and goes
only where it has no word that the earlier one lacks.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tasks.prepare.clean.alike import alike, answers_of, is_needless, setting
from tasks.prepare.clean.duplicates import pointed, standing_for
from tasks.prepare.clean.pairs import ends_of, standing, with_rows
from tasks.prepare.clean.parts import (
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
    shard_name,
    told_to_shards,
    without_gone,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.tables import Table
from tasks.prepare.clean.verdict import Reason, Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.similar.pairs import Pair
from tasks.prepare.similar.rows import ask_the_same, said
from tasks.prepare.similar.sets import sets_of
from tasks.rows.hashes import places_of
from tasks.rows.held_out import own_name
from tasks.rows.places import starts
from tasks.rows.records import ASKED, Document, RowKind, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


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
    pairs = [pair for pair, at in zip(pairs, places_of(ids[later], hidden).tolist(), strict=True) if at < 0]
    quotes = _quotes(seen, np.unique(ids[later]))
    needless = [pair for pair, stays, goes in with_rows(table, pairs) if is_needless(stays, goes, quotes)]
    gone = standing(needless)
    yield from _told(kind, table, gone)
    places = np.array(sorted(gone), np.int64)
    old, at = np.unique(ids[places], return_index=True)
    stay = np.array([gone[place].earlier for place in places[at].tolist()], np.int64)
    yield SHARED, {"old": old, "new": as_array(table.ids_at(stay))}


def _quotes(seen: Seen, documents: "NDArray[np.bytes_]") -> dict[str, set[str]]:
    """What rows quote of documents with the given keys of ids, by ids."""
    import numpy as np

    quotes: dict[str, set[str]] = defaultdict(set)
    for kind in ASKED:
        table = seen.tables[kind]
        for number, notes in enumerate(seen.notes[kind]):
            rests = places_of(notes["evidence"], documents) >= 0
            places = np.unique(notes["row"][rests]) + starts(table.sizes)[number]
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
    return {"place": places, "answer": hashes(map(answers_of, others))}


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
    answers = ["\n".join(answers_of(asked[place])) for place in known.own["first"].tolist()]
    known.near(f"{shard.kind}-answers").add(shard.number, answers)
    return {}


def _decide_asked(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    for kind in ASKED:
        yield from _told(kind, seen.tables[kind], standing(_near_asked(seen, kind, settings)))


def _near_asked(seen: Seen, kind: RowKind, settings: CleanSettings) -> Iterator[Pair]:
    """The pairs of rows that are the same but for the wording."""
    import numpy as np

    table = seen.tables[kind]
    begin = starts(table.sizes).tolist()
    before = [seen.before[shard_name(kind, number)] for number in range(len(table.sizes))]
    places = np.concatenate([notes["place"] + start for notes, start in zip(before, begin, strict=False)])
    _, first, answer = np.unique(
        np.concatenate([notes["answer"] for notes in before]), return_index=True, return_inverse=True
    )
    asked: list[Pair] = []  # by their numbers among `places`
    same: list[bool] = []
    pairs = _near_pairs(seen, kind, settings)
    for pair, one, other in with_rows(table, pairs, places):
        if isinstance(one, Document) or isinstance(other, Document) or not ask_the_same(one, other):
            continue
        asked.append(pair)
        same.append(setting(one) == setting(other) and all(map(alike, answers_of(one), answers_of(other))))
    asking = sets_of(ends_of(asked), len(places))
    # Answers are numbered as they come first, which is how they were given to be compared.
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    families = sets_of(ends_of(_near_pairs(seen, f"{kind}-answers", settings)), len(first))[number[answer]]
    # The sets of near rows that give an answer: it is that of one question where there is one set.
    sets = np.unique(families * len(places) + asking) // max(len(places), 1)
    alone = np.bincount(sets, minlength=len(first)) == 1
    for pair, is_same in zip(asked, same, strict=True):
        if is_same and alone[families[pair.earlier]]:
            yield Pair(int(places[pair.earlier]), int(places[pair.later]), pair.nearness)


def _near_pairs(seen: Seen, name: str, settings: CleanSettings) -> list[Pair]:
    assert settings.near_duplicates is not None
    return list(seen.near(name).pairs(near=settings.near_duplicates, each=seen.executor.map))


def _told(kind: RowKind, table: Table, gone: dict[int, Pair]) -> Iterator[tuple[str, Notes]]:
    import numpy as np

    places = sorted(gone)
    stay = table.ids_at(np.array([gone[place].earlier for place in places], np.int64))
    reasons = [
        Reason("near_duplicate", f"of {name}, nearness {gone[place].nearness:.2f}")
        for place, name in zip(places, stay, strict=True)
    ]
    yield from told_to_shards(kind, table, np.array(places, np.int64), reasons)
