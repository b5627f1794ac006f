"""Takes personal data out of the rows: each piece is replaced by its kind, or its row is dropped.

What is found in one text of a row is replaced in all of them, and in the documents that it rests on: a number
that only one of them calls a telephone number would else stay in the others, and the quote would no longer
stand in its document.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from deploy.errors import SettingsError
from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.clean.personal.spans import Finder, Found, redacted
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings, PersonalKind, PersonalSettings
from tasks.rows.records import Document, Dropped, Example, Preference, Row, Rows


def redact_personal(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows without the personal data that are found in their texts, as `clean.personal` says.

    Raises:
        SettingsError: a region of telephone numbers is none.
    """
    treatments = settings.personal.treatments()
    find = _finder(settings.personal)
    found = _found(rows, find)
    dropped: list[Dropped] = []
    counts: Counter[str] = Counter()
    kept: list[Row] = []
    documents = {document.id: document for document in rows.documents}
    for part in rows.by_kind().values():
        for row in part:
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


def _found(rows: Rows, find: Callable[[str], Found]) -> Mapping[tuple[type, str], Found]:
    """What is to be replaced in each row that has anything: its own, and that of what it is tied to."""
    known: dict[str, Found] = {}  # questions come in many rows

    def of(text: str) -> Found:
        if text not in known:
            known[text] = find(text)
        return known[text]

    own: dict[tuple[type, str], dict[str, PersonalKind]] = defaultdict(dict)
    for part in rows.by_kind().values():
        for row in part:
            for text in _texts(row):
                if personal := of(text):
                    own[_key(row)].update(personal)
    if not own:
        return {}
    # First what rows know goes to their documents, then all that those know comes back.
    for row in rows.asked:
        for name in row.evidence if _key(row) in own else ():
            own[Document, name].update(own[_key(row)])
    for row in rows.asked:
        for name in row.evidence:
            if (Document, name) in own:
                own[_key(row)].update(own[Document, name])
    return own


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
