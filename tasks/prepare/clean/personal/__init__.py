"""Takes personal data out of the rows: each piece is replaced by its kind, or its row is dropped.

What is found in one text of a row is replaced in all of them, and in the documents that it rests on: a number
that only one of them calls a telephone number would else stay in the others, and the quote would no longer
stand in its document. Metadata and addresses are texts as well. An id or a group with personal data in it is
called otherwise, wherever it is named.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from deploy.errors import SettingsError
from tasks.prepare.clean.personal.names import in_columns, in_letters
from tasks.prepare.clean.personal.recognised import name_model
from tasks.prepare.clean.personal.replacing import Without, texts
from tasks.prepare.clean.personal.spans import Find, Finder, Found
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings, NameWay, PersonalKind, PersonalSettings
from tasks.rows.records import Document, Dropped, Row, Rows

_OURS = re.compile(r"(?:hidden-)?[0-9a-f]{16}")  # ids that are made here: digits of a hash are nobody's


def redact_personal(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows without the personal data that are found in them, as `clean.personal` says.

    Raises:
        SettingsError: a region of telephone numbers is none, or the model that recognises names is missing.
    """
    treatments = settings.personal.treatments()
    forms = cache(_finder(settings.personal))  # questions and names come in many rows
    names = _names(settings.personal)
    find = cache(_finder(settings.personal, names)) if names else forms
    found = _found(rows, find, settings.personal)
    without = Without(found, partial(_in_name, forms), rows.documents)
    dropped: list[Dropped] = []
    counts: Counter[str] = Counter()
    renamed: Counter[str] = Counter()
    kept: list[Row] = []
    for kind, part in rows.by_kind().items():
        for row in part:
            clear, kinds = without(row)
            if forbidden := {each for each in kinds if treatments[each] == "drop"}:
                dropped.append(drop(clear, "personal", ", ".join(sorted(forbidden))))
                continue
            kept.append(clear)
            counts.update(kinds)
            renamed[kind] += clear.id != row.id
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


def _found(
    rows: Rows, find: Callable[[str], Found], settings: PersonalSettings
) -> Mapping[tuple[type, str], Found]:
    """What is to be replaced in each row that has anything: its own, and that of what it is tied to."""
    own: dict[tuple[type, str], dict[str, PersonalKind]] = defaultdict(dict)
    spared = tuple(end.lower() for end in settings.spared)
    for part in rows.by_kind().values():
        for row in part:
            for text in texts(row):
                if personal := find(text):
                    own[type(row), row.id].update(personal)
            for name in in_columns(row.metadata, settings.names_from):
                if not name.lower().endswith(spared):
                    own[type(row), row.id].setdefault(name, "name")
    if not own:
        return {}
    # First what rows know goes to their documents, then all that those know comes back.
    for row in rows.asked:
        for name in row.evidence if (type(row), row.id) in own else ():
            own[Document, name].update(own[type(row), row.id])
    for row in rows.asked:
        for name in row.evidence:
            if (Document, name) in own:
                own[type(row), row.id].update(own[Document, name])
    return own
