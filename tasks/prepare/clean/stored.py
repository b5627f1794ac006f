"""A plan carried out over rows in files, shard by shard in any number of processes; killed, it goes on.

The work folder has a folder for each number of the plan. In that of a pass there is one for each shard, with
its rows where they have changed, those that went, what was noted and what was counted; in that of a decision,
one for each shard that something is decided for. What is there is whole, and not made again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.atomic import replacing, write_json
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.machine.executors import Executor
from tasks.machine.progress import Progress
from tasks.machine.shards import make_shards
from tasks.prepare.clean.parts import Decisions, Notes, Seen, Shard
from tasks.prepare.clean.passes import Step, worked
from tasks.prepare.clean.plan import RAW, Decide, Pass, needed, planned
from tasks.prepare.clean.tables import StoredShard, StoredTable
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.table import measured, table_schema
from tasks.prepare.similar.arrays import ArrayFolder
from tasks.prepare.similar.pairs import NearTexts
from tasks.rows.arrow import arrow_of, schema
from tasks.rows.records import Dropped, Row, RowKind, Rows
from tasks.rows.tables import FILES, KINDS, shard_sizes, write_arrow, write_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS, KEPT, DROPPED, SIGNALS = "rows.parquet", "kept.npy", "dropped.parquet", "signals.parquet"
SUMMARY, NOTES = "summary.json", "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of a shard: how many rows, in which file of the work folder they lie, and what was counted.

    Where no row has changed it is the file of an earlier pass, and `kept` one with the places of those that
    stay, if some went. `dropped` counts by what was done.
    """

    rows: int
    file: str
    kept: str
    dropped: list[int]
    reasons: dict[str, int]
    repaired: dict[str, int]
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Work:
    """The rows of a folder, and a folder for what is made of them."""

    raw: Path
    folder: Path

    def place(self, number: int) -> Path:
        """The folder of a pass or a decision."""
        return self.folder / f"{number:02d}"

    def decisions(self, number: int) -> Decisions:
        """What was decided under a number of the plan."""
        return StoredDecisions(self.place(number))

    def table(self, kind: RowKind, source: int) -> StoredTable:
        """The rows of a kind that come from a pass."""
        if source == RAW:
            path = self.raw / FILES[KINDS[kind]]
            sizes = shard_sizes(path, KINDS[kind])
            return StoredTable(kind, [StoredShard(path, number) for number in range(len(sizes))], sizes)
        found = list(self.summaries(source))
        shards = [
            StoredShard(self.folder / each.file, kept=self.folder / each.kept if each.kept else None)
            for each in found
        ]
        return StoredTable(kind, shards, [each.rows for each in found])

    def near(self, name: str) -> NearTexts:
        """Texts to compare, by a name."""
        return NearTexts(self.folder / "near" / name)

    def shards(self, number: int) -> list[Path]:
        """The folders of the shards that a pass has worked on."""
        return sorted(self.place(number).glob("[!.]*"))

    def summaries(self, number: int) -> Iterator[Summary]:
        """What came of each shard in a pass."""
        for path in self.shards(number):
            yield read_json(path / SUMMARY, Summary, error=SourceError, advice=f"delete {self.folder}")


class StoredDecisions(Mapping[str, Notes]):
    """Decisions in a folder, one below it for each name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Notes:
        if not (self._folder / name).is_dir():
            raise KeyError(name)
        return ArrayFolder(self._folder / name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.name for path in self._folder.iterdir()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def carry_out(steps: Sequence[Step], work: Work, executor: Executor, settings: CleanSettings) -> list[Pass]:
    """The passes that were made over all shards of `work.raw`, those of a former run among them."""
    plan = planned(steps, settings)
    count = {kind: len(work.table(kind, RAW).sizes) for kind in KINDS}
    progress = Progress(sum(count[each.kind] for each in plan if isinstance(each, Pass)), "shards")
    before = 0
    for at, each in enumerate(plan):
        if isinstance(each, Decide):
            _decide(each, work, executor, settings)
            continue
        made = partial(_make, each, work, work.table(each.kind, each.source), settings)

        def told(done: int, before: int = before) -> None:
            progress.update(before + done)

        make_shards(executor, made, work.place(each.number), count[each.kind], progress=told)
        before += count[each.kind]
        _clear(work, plan, at)
    return [each for each in plan if isinstance(each, Pass)]


def _make(
    over: Pass, work: Work, table: StoredTable, settings: CleanSettings, number: int, place: Path
) -> None:
    """Fill the folder of a shard."""
    rows = table.shard(number)
    shard = Shard(kind=over.kind, number=number, rows=Rows.of(rows))
    made = worked(over, shard, work, settings)
    place.mkdir()
    after = made.rows.by_kind()[over.kind]
    lies = _lying(place, work.place(over.number) / f"{number:06d}", over, table.shards[number], rows, after)
    gone = [row for some in made.dropped for row in some]
    if gone:
        write_table(place / DROPPED, Dropped, gone)
    if over.part is None and settings.measures:
        write_arrow(place / SIGNALS, table_schema(), [measured(made.rows)])
    notes = ArrayFolder(place / NOTES)
    for name, array in made.notes.items():
        notes[name] = array
    summary = Summary(
        rows=len(after),
        file=lies.path.relative_to(work.folder).as_posix(),
        kept=lies.kept.relative_to(work.folder).as_posix() if lies.kept else "",
        dropped=[len(some) for some in made.dropped],
        reasons=dict(Counter(row.reason for row in gone)),
        repaired=dict(made.repaired),
        counts={name: dict(some) for name, some in made.counts.items()},
    )
    write_json(place / SUMMARY, asdict(summary))


def _lying(
    place: Path, final: Path, over: Pass, before: StoredShard, rows: Sequence[Row], after: Sequence[Row]
) -> StoredShard:
    """Where the rows `after` a pass lie: where they did, less those that went, or in a new file.

    `place` becomes `final` when all is written.
    """
    import numpy as np

    places = _places(rows, after)
    if over.source == RAW or places is None:
        write_arrow(place / ROWS, schema(KINDS[over.kind]), [arrow_of(KINDS[over.kind], after)])
        return StoredShard(final / ROWS)
    if len(places) == len(rows):
        return before
    there = before.places()
    np.save(place / KEPT, places if there is None else there[places], allow_pickle=False)
    return StoredShard(before.path, kept=final / KEPT)


def _places(rows: Sequence[Row], after: Sequence[Row]) -> "NDArray[np.int64] | None":
    """Which of the rows are there after a pass, by their places; None if one of them is another now."""
    import numpy as np

    left = iter(enumerate(rows))
    found = [next((place for place, row in left if row is one or row == one), -1) for one in after]
    return None if -1 in found else np.array(found, np.int64)


def _decide(one: Decide, work: Work, executor: Executor, settings: CleanSettings) -> None:
    """Fill the folder of a decision, unless it is there."""
    place = work.place(one.number)
    if place.exists():
        return
    seen = Seen(
        notes={
            kind: [ArrayFolder(path / NOTES) for path in work.shards(number)]
            for kind, number in one.noted.items()
        },
        tables={kind: work.table(kind, source) for kind, source in one.tables.items()},
        before={} if one.before is None else work.decisions(one.before),
        near=work.near,
        executor=executor,
    )
    with replacing(place) as partly:
        partly.mkdir()
        for name, notes in one.part.decide(seen, settings):
            arrays = ArrayFolder(partly / name)
            for what, array in notes.items():
                arrays[what] = array


def _clear(work: Work, plan: Sequence[Pass | Decide], done: int) -> None:
    """Remove the rows of passes up to that which is `done` that nothing will read any more."""
    last = {(each.kind, each.gives) for each in plan if isinstance(each, Pass) and each.part is None}
    wanted = {
        path
        for kind, source in needed(plan[done + 1 :]) | last
        if source <= done
        for path in (shard.path for shard in work.table(kind, source).shards)
    }
    for number in range(done + 1):
        for path in work.place(number).glob(f"*/{ROWS}"):
            if path not in wanted:
                path.unlink()
