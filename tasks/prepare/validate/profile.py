"""What the rows of a run are like, in figures alone: the measure for the rows of later runs."""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.atomic import write_json
from deploy.files import read_json
from deploy.settings import Section
from tasks.errors import SourceError
from tasks.prepare.validate.features import FEATURES, Cells
from tasks.prepare.validate.language import languages
from tasks.prepare.validate.tables import Tables
from tasks.rows.records import Row, RowKind
from tasks.rows.tables import KINDS

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


def profile(tables: Tables, *, made_with: str) -> Profile:
    """What the rows of `tables` are like."""
    return Profile(
        version=VERSION,
        made_with=made_with,
        tables={kind: _table(tables, kind) for kind in KINDS},
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


class Spreading:
    """Counts rows in the cells of one feature, one after the other."""

    def __init__(self) -> None:
        self._sizes: Counter[int] = Counter()
        self._counts: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._squares: dict[str, float] = defaultdict(float)

    def add(self, cells: Cells, part: int) -> None:
        """Count a row, which is in this random part."""
        self._sizes[part] += 1
        counted = self._counts[part]
        for cell, share in cells.items():
            counted[cell] += share
            self._squares[cell] += share * share

    def spread(self) -> Spread:
        """How all of them are spread."""
        whole: dict[str, float] = defaultdict(float)
        for part in sorted(self._counts):
            for cell, count in self._counts[part].items():
                whole[cell] += count
        for cell in sorted(whole, key=lambda cell: (-whole[cell], cell))[CELLS:]:
            for counted in (whole, self._squares, *self._counts.values()):
                counted[OTHERS] += counted.pop(cell, 0.0)
        return Spread(
            rows={cell: round(count, 4) for cell, count in whole.items()},
            alike={
                cell: round(_alike(cell, self._counts, self._sizes, self._squares[cell]), 4) for cell in whole
            },
            parts=len(self._sizes),
        )


def spread(cells: Iterable[Cells], parts: Iterable[int]) -> Spread:
    """How rows are spread over cells, where `parts` says in which random part each of them is."""
    found = Spreading()
    for row, part in zip(cells, parts, strict=True):
        found.add(row, part)
    return found.spread()


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


def _table(tables: Tables, kind: RowKind) -> TableProfile:
    sizes = tables.sizes(kind)
    found = {name: Spreading() for name in (*FEATURES[kind], "language")}
    for rows in _sampled(tables, kind, sizes):
        for row, spoken in zip(rows, languages(rows), strict=True):
            part = _draw(getattr(row, "group", "") or row.id) % PARTS  # a document has no group
            for name, feature in FEATURES[kind].items():
                found[name].add(feature(row), part)
            found["language"].add(spoken, part)
    features = {name: counted.spread() for name, counted in found.items()}
    return TableProfile(rows=sum(sizes), features=features)


def _sampled(tables: Tables, kind: RowKind, sizes: Sequence[int]) -> Iterator[Sequence[Row]]:
    for number in range(len(sizes)):
        if (count := sum(sizes)) <= SAMPLED:
            yield tables.shard(kind, number)
            continue
        (names,) = tables.arrow(kind, ["id"], [number])
        if places := sampled(names["id"].to_pylist(), count):
            yield tables.shard(kind, number, places)


def sampled(ids: Iterable[str], count: int) -> list[int]:
    """The places of some `SAMPLED` of `count` rows, chosen by their ids: the next run looks at the same."""
    bound = 2**32 * SAMPLED // count
    return [place for place, name in enumerate(ids) if _draw(name) < bound]


def _draw(name: str) -> int:
    """A number below 2**32 that follows from a name; ids in a row give numbers all over."""
    return int.from_bytes(hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=4).digest())


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
