"""Takes personal data out of the rows: each piece is replaced by its kind, or its row is dropped.

What is found in one text of a row is replaced in all of them, and in the documents that it rests on: a number
that only one of them calls a telephone number would else stay in the others, and the quote would no longer
stand in its document.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from deploy.errors import SettingsError
from deploy.files import text_sha256
from deploy.messages import Message
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
    by_id,
    from_array,
    hashes,
    named,
    places_in,
    shard_name,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.personal.spans import Finder, Found, redacted
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings, PersonalKind, PersonalSettings
from tasks.rows.records import Document, Dropped, Example, Preference, Row, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def without_personal(settings: CleanSettings) -> tuple[Part, ...]:
    """The rows without the personal data that are found in their texts, as `clean.personal` says.

    First what rows know goes to their documents, then all that those know comes back.

    Raises:
        SettingsError: a region of telephone numbers is none.
    """
    _finder(settings.personal)
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
        at = places_in(rested_on, hashes(names)).tolist()
        for name, place, personal in zip(names, at, _by_place(notes["found"]).values(), strict=True):
            if place >= 0:
                found[name].update(personal)
    known = hashes(found)
    for name in asked:
        before = seen.before[name]
        here = places_in(before["documents"], known) >= 0
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
    dropped: list[Dropped] = []
    counts: Counter[str] = Counter()
    kept: list[Row] = []
    for place, row in enumerate(shard):
        found = {_key(row): own.get(place, {})}
        evidence = () if isinstance(row, Document) else row.evidence
        found |= {(Document, name): of_documents[name] for name in evidence if name in of_documents}
        clear, kinds = _without(row, documents, found)
        if forbidden := {kind for kind in kinds if treatments[kind] == "drop"}:
            dropped.append(drop(row, "personal", ", ".join(sorted(forbidden))))
        else:
            kept.append(clear)
            counts.update(kinds)
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped), counts={"personal": counts})


def _finder(settings: PersonalSettings) -> Callable[[str], Found]:
    if settings.phone != "keep" and settings.phone_regions:
        from phonenumbers import SUPPORTED_REGIONS

        if unknown := sorted(set(settings.phone_regions) - SUPPORTED_REGIONS):
            raise SettingsError(
                f"clean.personal.phone_regions: {unknown[0]} is no region with telephone numbers; name "
                "countries by ISO 3166, such as GB or DE"
            )
    looked_for = [kind for kind, treatment in settings.treatments().items() if treatment != "keep"]
    return Finder(looked_for, settings.phone_regions, settings.spared)


def _key(row: Row) -> tuple[type, str]:
    return type(row), row.id


def _found(shard: Shard, settings: CleanSettings) -> dict[int, dict[str, PersonalKind]]:
    """What stands in each row that has anything, by its place."""
    find = cache(_finder(settings.personal))  # questions come in many rows
    found: dict[int, dict[str, PersonalKind]] = {}
    for place, row in enumerate(shard):
        for text in _texts(row):
            if personal := find(text):
                found.setdefault(place, {}).update(personal)
    return found


def _by_place(array: "NDArray[np.uint8]") -> dict[int, dict[str, PersonalKind]]:
    """What was found, which JSON has by words."""
    return {int(place): personal for place, personal in from_array(array).items()}


def _texts(row: Row) -> tuple[str, ...]:
    match row:
        case Example():
            return (*(turn.content for turn in row.messages), row.quote)
        case Preference():
            return (*(turn.content for turn in row.prompt), row.chosen, row.rejected, row.quote)
        case Document():
            return row.title, row.text


def _without(
    row: Row, documents: Mapping[str, Document], found: Mapping[tuple[type, str], Found]
) -> tuple[Row, list[PersonalKind]]:
    """The row without what was found, and the kind of each piece that stood in it."""
    personal = found.get(_key(row))
    replaced: list[PersonalKind] = []
    if not personal:
        return row, replaced

    def clear(text: str) -> str:
        text, kinds = redacted(text, personal)
        replaced.extend(kinds)
        return text

    def turns(messages: tuple[Message, ...]) -> tuple[Message, ...]:
        return tuple(Message(message.role, clear(message.content)) for message in messages)

    def quote(asked: Example | Preference) -> str:
        """The quote as it stands in its document now; none where it was cut out of a piece that is gone."""
        told = redacted(asked.quote, personal)[0]
        for name in asked.evidence:
            there = documents.get(name)
            if there and asked.quote in there.text:
                left = redacted(there.text, found.get((Document, name), {}))[0]
                return told if told in left else ""
        return told

    without: Row
    match row:
        case Example():
            without = replace(row, messages=turns(row.messages), quote=quote(row))
        case Preference():
            without = replace(
                row,
                prompt=turns(row.prompt),
                chosen=clear(row.chosen),
                rejected=clear(row.rejected),
                quote=quote(row),
            )
        case Document():
            text = clear(row.text)
            without = replace(row, title=clear(row.title), text=text, sha256=text_sha256(text))
    return (row if without == row else without), replaced
