"""What a source gives at once, and the identifiers of its rows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tasks.rows.records import Dropped, RowKind, Rows

Decision = Literal["use", "leave out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What people have decided about a row: to `use` it with other `texts`, or to leave it out.

    `was` is a fingerprint of the row that they looked at.
    """

    id: str
    kind: RowKind
    was: str
    decision: Decision
    texts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The rows of one source, those that could not be read, and figures for the report.

    `unused` counts, by reason, opinions that were read and make no pair: nothing is wrong with them.
    `corrections` are about rows of other sources.
    """

    rows: Rows
    dropped: tuple[Dropped, ...] = ()
    unused: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()


def identifier(*parts: object) -> str:
    """A short id that follows from content: equal parts, equal id (64 bits of BLAKE2b)."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()


def rank(seed: int, *parts: object) -> int:
    """A number that looks random and follows from its arguments: choices by it do not depend on order."""
    return int(identifier(seed, *parts), 16)
