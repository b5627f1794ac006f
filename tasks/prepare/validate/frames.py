"""What is judged of rows: a line for each, with small columns and none of its text, which may be personal."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tasks.machine.executors import Executor
from tasks.prepare.validate import documents, examples, preferences
from tasks.prepare.validate.between import between, good_answers, judged_answers
from tasks.prepare.validate.expect import Columns
from tasks.prepare.validate.tables import Tables
from tasks.rows.keys import KeyMap, joined
from tasks.rows.records import RowKind

if TYPE_CHECKING:
    import pandas as pd

    from tasks.rows.keys import Keys

SUITES: Mapping[RowKind, ModuleType] = {"example": examples, "preference": preferences, "document": documents}


@dataclass(frozen=True, slots=True)
class _Shard:
    """The columns of one shard, and hashes: of preferences of rejected answers, of examples of good ones."""

    columns: "dict[str, pd.Series[Any]]"
    near: "Keys | None" = None
    answers: "Keys | None" = None


def frames(tables: Tables, executor: Executor) -> "dict[RowKind, pd.DataFrame]":
    """The lines of each table; of a row there stands what its suite has as columns."""
    import numpy as np
    import pandas as pd

    found: dict[RowKind, dict[str, Any]] = {kind: {**each} for kind, each in between(tables).items()}
    near: Keys | None = None
    answers: dict[RowKind, Keys] = {}
    for kind in ("preference", "example", "document"):
        numbers = range(len(tables.sizes(kind)))
        shards = list(executor.map(partial(_judged, tables, kind, near), numbers))
        for name in shards[0].columns if shards else ():
            found[kind][name] = pd.concat([each.columns[name] for each in shards], ignore_index=True)
        answers[kind] = joined(each.answers for each in shards if each.answers is not None)
        if kind == "preference":
            near = np.unique(joined(each.near for each in shards if each.near is not None))
    found["preference"]["agrees"] = ~KeyMap(answers["example"]).holds(answers["preference"])
    return {kind: pd.DataFrame({name: found[kind][name] for name in columns_of(kind)}) for kind in SUITES}


def columns_of(kind: RowKind) -> Columns:
    """What is judged of a row of a kind."""
    columns: Columns = SUITES[kind].COLUMNS
    return columns


def _judged(tables: Tables, kind: RowKind, near: "Keys | None", number: int) -> _Shard:
    import pandas as pd

    rows = tables.shard(kind, number)
    columns = {
        name: pd.Series([column[1](row) for row in rows], dtype=column[0])
        for name, column in columns_of(kind).items()
        if column
    }
    if kind == "preference":
        said = judged_answers(rows)
        return _Shard(columns, said.near, said.given)
    if near is not None and len(near):
        return _Shard(columns, answers=good_answers(rows, KeyMap(near)))
    return _Shard(columns)
