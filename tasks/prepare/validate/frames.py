"""What is judged of rows: a line for each, with small columns and none of its text, which may be personal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tasks.machine.executors import Executor
from tasks.machine.progress import Progress
from tasks.machine.shards import make_shards
from tasks.prepare.validate import documents, examples, preferences
from tasks.prepare.validate.between import between, good_answers, judged_answers
from tasks.prepare.validate.expect import Columns
from tasks.prepare.validate.tables import Tables
from tasks.rows.keys import KeyMap, joined
from tasks.rows.records import RowKind

if TYPE_CHECKING:
    import pandas as pd

    from tasks.rows.keys import Keys

_COLUMNS, _KEYS = "columns.parquet", ("near", "answers")
SUITES: Mapping[RowKind, ModuleType] = {"example": examples, "preference": preferences, "document": documents}


@dataclass(frozen=True, slots=True)
class _Shard:
    """The columns of one shard, and hashes: of preferences of rejected answers, of examples of good ones."""

    columns: "pd.DataFrame"
    near: "Keys"
    answers: "Keys"

    def store(self, folder: Path) -> None:
        """Write it into a folder that is not there yet."""
        import numpy as np

        folder.mkdir()
        self.columns.to_parquet(folder / _COLUMNS)
        for name in _KEYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def stored(cls, folder: Path) -> "_Shard":
        """What was stored in a folder."""
        import numpy as np
        import pandas as pd

        keys = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in _KEYS}
        return cls(pd.read_parquet(folder / _COLUMNS), **keys)


def frames(tables: Tables, executor: Executor, *, work: Path | None = None) -> "dict[RowKind, pd.DataFrame]":
    """The lines of each table; of a row there stands what its suite has as columns.

    What is made of each shard lies in `work`, if it is given: a run goes on there after one that was killed.
    """
    import numpy as np
    import pandas as pd

    found: dict[RowKind, dict[str, Any]] = {kind: {**each} for kind, each in between(tables).items()}
    sizes = {kind: len(tables.sizes(kind)) for kind in SUITES}
    progress, done = Progress(sum(sizes.values()), "shards"), 0
    near: Keys | None = None
    answers: dict[RowKind, Keys] = {}
    for kind in ("preference", "example", "document"):
        judge = partial(_judged, tables, kind, near)
        if work is None:
            shards = list(executor.map(judge, range(sizes[kind])))
        else:
            told = partial(_tell, progress, done)
            paths = make_shards(executor, partial(_store, judge), work / kind, sizes[kind], progress=told)
            shards = [_Shard.stored(path) for path in paths]
            done += sizes[kind]
        for name in map(str, shards[0].columns if shards else ()):
            found[kind][name] = pd.concat([each.columns[name] for each in shards], ignore_index=True)
        answers[kind] = joined(each.answers for each in shards)
        if kind == "preference":
            near = np.unique(joined(each.near for each in shards))
    found["preference"]["agrees"] = ~KeyMap(answers["example"]).holds(answers["preference"])
    return {kind: pd.DataFrame({name: found[kind][name] for name in columns_of(kind)}) for kind in SUITES}


def columns_of(kind: RowKind) -> Columns:
    """What is judged of a row of a kind."""
    columns: Columns = SUITES[kind].COLUMNS
    return columns


def _judged(tables: Tables, kind: RowKind, near: "Keys | None", number: int) -> _Shard:
    import pandas as pd

    rows = tables.shard(kind, number)
    columns = pd.DataFrame(
        {
            name: pd.Series([column[1](row) for row in rows], dtype=column[0])
            for name, column in columns_of(kind).items()
            if column
        }
    )
    none = joined(())
    if kind == "preference":
        said = judged_answers(rows)
        return _Shard(columns, said.near, said.given)
    if near is not None and len(near):
        return _Shard(columns, near=none, answers=good_answers(rows, KeyMap(near)))
    return _Shard(columns, near=none, answers=none)


def _tell(progress: Progress, before: int, done: int) -> None:
    progress.update(before + done)


def _store(judge: Callable[[int], _Shard], number: int, place: Path) -> None:
    judge(number).store(place)
