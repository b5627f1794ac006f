"""Which rows stand in the place of one that went no further, or speak against it, by what its stage wrote."""

import re
from collections.abc import Container, Iterable

from tasks.prepare.decontamination.own_sets import DOCUMENT, GROUP, NEAR, SAME
from tasks.prepare.split.bridges import BRIDGE
from tasks.rows.records import Dropped

_HELD = re.compile(r"(?P<id>.*) \([^()]*(?:\([^()]*\)[^()]*)*\)(?:, nearness \d\.\d+)?", re.DOTALL)
_COPY = re.compile(r"of (?P<id>.*?)(?:, nearness \d\.\d+)?", re.DOTALL)
_JOINED = re.compile(r"\(near (?P<id>.*?)\)(?= and (?:train|validation|test) \(|\Z)", re.DOTALL)
_CIRCLE = "in a circle with "
_WORDS = {
    "duplicate": "in its place stands",
    "near_duplicate": "in its place stands",
    "duplicate_id": "its id has",
    "conflict": "it contradicts",
    BRIDGE: "it is near to",
    SAME: "it asks the same as",
    NEAR: "it is near to",
    GROUP: "it is of the group of",
    DOCUMENT: "it names a document of",
}


def relation(lost: Dropped) -> str:
    """How a lost row stands to those that `counterparts` names; empty where there are none."""
    if lost.detail.startswith(_CIRCLE):
        return "it goes round in a circle with"
    return _WORDS.get(lost.reason, "")


def counterparts(lost: Dropped, known: Container[str]) -> tuple[str, ...]:
    """The ids of the rows that the detail of a lost row names; ids that are not `known` are left out."""
    match lost.reason:
        case "duplicate" | "near_duplicate":
            named = [_kept(lost)]
        case "duplicate_id":
            named = [lost.id]
        case "conflict":
            named = _listed(lost.detail.removeprefix(_CIRCLE).removeprefix("with "), known)
        case reason if reason == BRIDGE:
            named = [found["id"] for found in _JOINED.finditer(lost.detail)]
        case reason if reason in (SAME, NEAR, GROUP, DOCUMENT):
            found = _HELD.fullmatch(lost.detail)
            named = [found["id"]] if found else []
        case _:
            named = []
    return tuple(name for name in named if name in known)


def stands_for(names: Container[str], lost: Iterable[Dropped]) -> tuple[str, ...]:
    """The ids of the `lost` rows in whose place the row stands that is called by one of `names`."""
    copies = (row for row in lost if row.reason in ("duplicate", "near_duplicate"))
    return tuple(row.id for row in copies if _kept(row) in names)


def _kept(copy: Dropped) -> str:
    """The id of the row that stands in the place of a copy."""
    found = _COPY.fullmatch(copy.detail)
    return found["id"] if found else ""


def _listed(told: str, known: Container[str]) -> list[str]:
    """The ids in a list with commas, where an id may hold a comma itself: the longest that is known wins."""
    parts, names = told.split(", "), []
    while parts:
        length = next((end for end in range(len(parts), 0, -1) if ", ".join(parts[:end]) in known), 1)
        names.append(", ".join(parts[:length]))
        parts = parts[length:]
    return names
