"""Takes personal data out of the rows: each piece is replaced by its kind, or its row is dropped.

What is found in one text of a row is replaced in all of them, and in the documents that it rests on: a number
that only one of them calls a telephone number would else stay in the others, and the quote would no longer
stand in its document. Metadata and addresses are texts as well. An id or a group with personal data in it is
called otherwise, wherever it is named.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from deploy.errors import SettingsError
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
    by_id,
    from_array,
    hashes,
    named,
    shard_name,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.personal.names import in_columns, in_letters
from tasks.prepare.clean.personal.recognised import name_model
from tasks.prepare.clean.personal.replacing import Without, texts
from tasks.prepare.clean.personal.spans import Find, Finder, Found
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings, NameWay, PersonalKind, PersonalSettings
from tasks.rows.hashes import places_of
from tasks.rows.records import ASKED, Dropped, Row, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OURS = re.compile(r"(?:hidden-)?[0-9a-f]{16}")  # ids that are made here: digits of a hash are nobody's


def without_personal(settings: CleanSettings) -> tuple[Part, ...]:
    """The rows without the personal data that are found in their texts, as `clean.personal` says.

    First what rows know goes to their documents, then all that those know comes back.

    Raises:
        SettingsError: a region of telephone numbers is none, or the model that recognises names is missing.
    """
    _finder(settings.personal, _names(settings.personal))
    return (
        Part(noted=ASKED, note=_found_in_asked, decide=_to_documents),
        Part(noted=DOCUMENTS, note=_found_in_documents, decide=_and_back, applied=KINDS, apply=_applied),
    )


redact_personal = Whole(without_personal)


def _found_in_asked(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """What stands in each row that has anything, what documents are told of it, and what rows rest on."""
    import numpy as np

    del known
    found = _found(shard, settings)
    told: dict[str, dict[str, PersonalKind]] = defaultdict(dict)
    for place, row in enumerate(shard.asked):
        for name in row.evidence if place in found else ():
            told[name].update(found[place])
    names = np.unique(hashes({name for row in shard.asked for name in row.evidence}))
    return {"found": as_array(found), "told": as_array(told), "documents": names}


def _to_documents(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    del settings
    told: dict[str, dict[str, PersonalKind]] = defaultdict(dict)
    for kind in ASKED:
        for number, notes in enumerate(seen.notes[kind]):
            yield shard_name(kind, number), {name: notes[name] for name in ("found", "documents")}
            for name, personal in from_array(notes["told"]).items():
                told[name].update(personal)
    yield SHARED, {"told": as_array(told)}


def _found_in_documents(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """What stands in each document that has anything or was told of it, and the ids of those."""
    told = from_array(known.shared["told"])
    own = _found(shard, settings)
    all_found = ((place, own.get(place, {}) | told.get(row.id, {})) for place, row in enumerate(shard))
    found = {place: personal for place, personal in all_found if personal}
    names = [row.id for place, row in enumerate(shard) if place in found]
    return {"found": as_array(found), "names": as_array(names), "id": hashes(row.id for row in shard)}


def _and_back(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    """For each document and row what was found in it, and for rows what was found in their documents."""
    import numpy as np

    del settings
    asked = [name for name in seen.before if name != SHARED]
    rested_on = np.unique(np.concatenate([seen.before[name]["documents"] for name in asked]))
    found: dict[str, dict[str, PersonalKind]] = defaultdict(dict)
    for number, notes in enumerate(seen.notes["document"]):
        yield shard_name("document", number), {"found": notes["found"]}
        names = from_array(notes["names"])
        at = places_of(hashes(names), rested_on).tolist()
        for name, place, personal in zip(names, at, _by_place(notes["found"]).values(), strict=True):
            if place >= 0:
                found[name].update(personal)
    known = hashes(found)
    for name in asked:
        before = seen.before[name]
        here = places_of(known, before["documents"]) >= 0
        of = {each: found[each] for each, is_here in zip(found, here.tolist(), strict=True) if is_here}
        yield name, {"found": before["found"], "of_documents": as_array(of)}
    yield SHARED, by_id(seen.column("document", "id"))


def _applied(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    treatments = settings.personal.treatments()
    own = _by_place(known.own["found"])
    of_documents = from_array(known.own["of_documents"]) if shard.kind in ASKED else {}
    for place, asked in enumerate(shard.asked):
        for name in asked.evidence:
            if name in of_documents:
                own.setdefault(place, {}).update(of_documents[name])
    quoted = (asked for place, asked in enumerate(shard.asked) if place in own and asked.quote)
    documents = named(known, {name for asked in quoted for name in asked.evidence})
    without = Without(partial(_in_name, cache(_finder(settings.personal))), documents, of_documents)
    dropped: list[Dropped] = []
    counts: Counter[str] = Counter()
    renamed: Counter[str] = Counter()
    kept: list[Row] = []
    for place, row in enumerate(shard):
        clear, kinds = without(row, own.get(place, {}))
        if forbidden := {kind for kind in kinds if treatments[kind] == "drop"}:
            dropped.append(drop(clear, "personal", ", ".join(sorted(forbidden))))
            continue
        kept.append(clear)
        counts.update(kinds)
        renamed[shard.kind] += clear.id != row.id
    told = {"personal": counts} | ({"renamed": +renamed} if renamed.total() else {})
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped), counts=told)


def _names(settings: PersonalSettings) -> Find | None:
    """What finds names of people in texts, in all ways that are named; None where none is."""
    known: Mapping[NameWay, Callable[[], Find]] = {"letters": lambda: in_letters, "ner": name_model}
    ways = [known[way]() for way in settings.names_by]
    return (lambda text: (place for way in ways for place in way(text))) if ways else None


def _finder(settings: PersonalSettings, names: Find | None = None) -> Callable[[str], Found]:
    if settings.phone != "keep" and settings.phone_regions:
        from phonenumbers import SUPPORTED_REGIONS

        if unknown := sorted(set(settings.phone_regions) - SUPPORTED_REGIONS):
            raise SettingsError(
                f"clean.personal.phone_regions: {unknown[0]} is no region with telephone numbers; name "
                "countries by ISO 3166, such as GB or DE"
            )
    looked_for = [kind for kind, treatment in settings.treatments().items() if treatment != "keep"]
    return Finder(looked_for, settings.phone_regions, settings.spared, names)


def _in_name(find: Callable[[str], Found], name: str) -> Sequence[PersonalKind]:
    """The kinds of what stands in an id or a group."""
    return () if _OURS.fullmatch(name) else tuple(find(name).values())


def _found(shard: Shard, settings: CleanSettings) -> dict[int, dict[str, PersonalKind]]:
    """What stands in each row that has anything, by its place."""
    how = settings.personal
    find = cache(_finder(how, _names(how)))  # questions come in many rows
    spared = tuple(end.lower() for end in how.spared)
    found: dict[int, dict[str, PersonalKind]] = {}
    for place, row in enumerate(shard):
        for text in texts(row):
            if personal := find(text):
                found.setdefault(place, {}).update(personal)
        for name in in_columns(row.metadata, how.names_from):
            if not name.lower().endswith(spared):
                found.setdefault(place, {}).setdefault(name, "name")
    return found


def _by_place(array: "NDArray[np.uint8]") -> dict[int, dict[str, PersonalKind]]:
    """What was found, which JSON has by words."""
    return {int(place): personal for place, personal in from_array(array).items()}
