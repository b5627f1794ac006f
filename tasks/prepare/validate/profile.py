"""What the rows of a run are like, in figures alone: the measure for the rows of later runs."""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.atomic import write_json
from deploy.files import read_json
from deploy.settings import Section
from tasks.errors import SourceError
from tasks.prepare.validate.features import FEATURES, Cells, Feature
from tasks.rows.records import Row, RowKind, Rows

VERSION = 1  # of the features and their cells: the profiles of two versions are not compared
SAMPLED = 20_000  # rows of a table that are looked at
PARTS = 16  # random parts of a table, whole groups together, that differ as chance will have it
CELLS = 1_000  # cells of a feature that are told apart: a column may hold any number of tasks
OTHERS = "all others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the rows of a table are spread over the cells of one feature.

    `rows` counts them by cell. `alike` says, by cell, how many rows count as one when chance is judged: rows
    of one group are no draws of their own. `parts` is the number of random parts that told it.
    """

    rows: dict[str, float]
    alike: dict[str, float]
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """How many rows a table has, and the spread of each feature over some of them."""

    rows: int
    features: dict[str, Spread]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What all tables are like. Where `made_with` differs, other settings have made the rows.

    `first` are the tables of the rows that were accepted before all others that are like them: small changes
    of each run add up since then. None: these are the first.
    """

    version: int
    made_with: str
    tables: dict[RowKind, TableProfile]
    first: dict[RowKind, TableProfile] | None = None

    @property
    def fingerprint(self) -> str:
        """Twelve letters that stand for these very figures."""
        return _hashed(asdict(self)["tables"])


def profile(rows: Rows, *, made_with: str) -> Profile:
    """What `rows` are like."""
    return Profile(
        version=VERSION,
        made_with=made_with,
        tables={kind: _table(part, FEATURES[kind]) for kind, part in rows.by_kind().items()},
    )


def made_with(*settings: Section) -> str:
    """Twelve letters that stand for the settings that make rows what they are."""
    return _hashed([section.model_dump(mode="json") for section in settings])


def write_profile(path: Path, made: Profile) -> None:
    """Write a profile; the same rows give the same bytes."""
    write_json(path, asdict(made))


def read_profile(path: Path) -> Profile | None:
    """The profile at `path`; None where another version of threeply has written it.

    Raises:
        SourceError: the file is damaged.
    """
    advice = f"delete {path}, and the next run has nothing to compare with"
    told: dict[str, Any] = read_json(path, dict[str, Any], error=SourceError, advice=advice)
    if told.get("version") != VERSION:
        return None
    found = read_json(path, Profile, error=SourceError, advice=advice)
    for kind, table in (*found.tables.items(), *(found.first or {}).items()):
        for name, spread in table.features.items():
            counts = [*spread.rows.values(), *spread.alike.values()]
            whole = spread.rows.keys() == spread.alike.keys()
            if not whole or not all(math.isfinite(count) and count >= 0.0 for count in counts):
                raise SourceError(f"{path} has impossible counts for {kind} {name}; {advice}")
    return found


def spread(cells: Iterable[Cells], parts: Sequence[int]) -> Spread:
    """How rows are spread over cells, where `parts` says in which random part each of them is."""
    sizes = Counter(parts)
    counts: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    squares: dict[str, float] = defaultdict(float)
    for part, row in zip(parts, cells, strict=True):
        for cell, share in row.items():
            counts[part][cell] += share
            squares[cell] += share * share
    whole: dict[str, float] = defaultdict(float)
    for part in sorted(counts):
        for cell, count in counts[part].items():
            whole[cell] += count
    for cell in sorted(whole, key=lambda cell: (-whole[cell], cell))[CELLS:]:
        for counted in (whole, squares, *counts.values()):
            counted[OTHERS] += counted.pop(cell, 0.0)
    return Spread(
        rows={cell: round(count, 4) for cell, count in whole.items()},
        alike={cell: round(_alike(cell, counts, sizes, squares[cell]), 4) for cell in whole},
        parts=len(sizes),
    )


def _alike(
    cell: str, counts: Mapping[int, Mapping[str, float]], sizes: Counter[int], squares: float
) -> float:
    """The variance of the count of a cell over that count, by random groups.

    Wolter, Introduction to Variance Estimation, chapter 2. At least what rows by themselves would have.
    """
    count, rows = sum(counted.get(cell, 0.0) for counted in counts.values()), sizes.total()
    alone = squares / count - count / rows
    if len(sizes) < 2:
        return max(alone, 0.0)
    apart = sum((counts[part].get(cell, 0.0) - size * count / rows) ** 2 for part, size in sizes.items())
    return max(apart / count * len(sizes) / (len(sizes) - 1), alone, 0.0)


def _table(rows: Sequence[Row], features: Mapping[str, Feature]) -> TableProfile:
    taken = sampled(rows)
    parts = [_draw(getattr(row, "group", "") or row.id) % PARTS for row in taken]  # a document has no group
    return TableProfile(
        rows=len(rows),
        features={name: spread(map(feature, taken), parts) for name, feature in features.items()},
    )


def sampled(rows: Sequence[Row]) -> Sequence[Row]:
    """Some `SAMPLED` of the rows, chosen by their ids: the next run looks at the same ones."""
    if len(rows) <= SAMPLED:
        return rows
    bound = 2**32 * SAMPLED // len(rows)
    return [row for row in rows if _draw(row.id) < bound]


def _draw(name: str) -> int:
    """A number below 2**32 that follows from a name; ids in a row give numbers all over."""
    return int.from_bytes(hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=4).digest())


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
