"""Which rows stand in the place of one that went no further, or speak against it, by what its stage wrote."""

import re
from collections.abc import Container

from tasks.prepare.decontamination.own_sets import GROUP, NEAR, SAME
from tasks.rows.records import Dropped

_HELD = re.compile(r"(?P<id>.*) \([^()]*(?:\([^()]*\)[^()]*)*\)(?:, nearness \d\.\d+)?", re.DOTALL)
_WORDS = {
    "duplicate": "in its place stands",
    "duplicate_id": "its id has",
    "conflict": "it contradicts",
    SAME: "it asks the same as",
    NEAR: "it is near to",
    GROUP: "it is of the group of",
}


def relation(lost: Dropped) -> str:
    """How a lost row stands to those that `counterparts` names; empty where there are none."""
    return _WORDS.get(lost.reason, "")


def counterparts(lost: Dropped, known: Container[str]) -> tuple[str, ...]:
    """The ids of the rows that the detail of a lost row names; ids that are not `known` are left out."""
    match lost.reason:
        case "duplicate":
            named = [lost.detail.removeprefix("of ")]
        case "duplicate_id":
            named = [lost.id]
        case "conflict":
            named = _listed(lost.detail.removeprefix("with "), known)
        case reason if reason in (SAME, NEAR, GROUP):
            found = _HELD.fullmatch(lost.detail)
            named = [found["id"]] if found else []
        case _:
            named = []
    return tuple(name for name in named if name in known)


def _listed(told: str, known: Container[str]) -> list[str]:
    """The ids in a list with commas, where an id may hold a comma itself: the longest that is known wins."""
    parts, names = told.split(", "), []
    while parts:
        length = next((end for end in range(len(parts), 0, -1) if ", ".join(parts[:end]) in known), 1)
        names.append(", ".join(parts[:length]))
        parts = parts[length:]
    return names
