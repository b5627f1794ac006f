"""What is noted of all rows, shard by shard, and which of them are near to each other."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.machine.executors import Executor
from tasks.machine.progress import Progress
from tasks.machine.shards import make_shards
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.pairs import NearTexts
from tasks.prepare.similar.rows import VIEWS, ask_the_same
from tasks.prepare.split.notes import DIVIDED, note
from tasks.prepare.split.shards import Shards

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes
    from tasks.rows.hashes import Hashes

_PAIRS = 32_768  # whose rows are read at once


def noted(
    shards: Shards, held_back: "Hashes", settings: SplitSettings, *, executor: Executor, work: Path
) -> "Notes":
    """The notes of all rows by their places; what their texts count by for nearness lies in `work`."""
    import numpy as np

    progress = Progress(len(shards), "shards")
    make = partial(_note, shards, held_back, settings, work)
    paths = make_shards(executor, make, work / "notes", len(shards), progress=progress.update)
    return np.concatenate([np.load(path, allow_pickle=False) for path in paths])


def near_divided(
    shards: Shards, notes: "Notes", settings: SplitSettings, *, executor: Executor, work: Path
) -> "NDArray[np.int64]":
    """The pairs of rows that are near and ask the same, ascending, by their numbers among those divided."""
    import numpy as np

    if settings.near_groups is None:
        return np.empty((0, 2), np.int64)
    places = np.flatnonzero(notes["standing"] == DIVIDED)
    count = max(len(places), 1)
    found = []
    for name in VIEWS:
        near = NearTexts(work / name).pairs(near=settings.near_groups, each=executor.map)
        found.append(np.fromiter((pair.earlier * count + pair.later for pair in near), np.int64))
    pairs = np.stack(np.divmod(np.unique(np.concatenate(found)), count), axis=1)
    blocks = (places[pairs[start : start + _PAIRS]] for start in range(0, len(pairs), _PAIRS))
    same = [np.empty(0, bool), *executor.map(partial(_asking_the_same, shards), blocks)]
    return pairs[np.concatenate(same)]


def _note(
    shards: Shards, held_back: "Hashes", settings: SplitSettings, work: Path, number: int, place: Path
) -> None:
    import numpy as np

    shard = shards[number]
    rows = shard.rows()
    found = note(shard.row_kind, rows, held_back, settings)
    if settings.near_groups is not None:
        divided = [row for row, standing in zip(rows, found["standing"], strict=True) if standing == DIVIDED]
        for name, view in VIEWS.items():
            texts = NearTexts(work / name, in_order=view.in_order)
            texts.add(number, [view.text(row) for row in divided])
    with place.open("wb") as file:
        np.save(file, found, allow_pickle=False)


def _asking_the_same(shards: Shards, pairs: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Whether the rows of each pair of places ask the same."""
    import numpy as np

    places = np.unique(pairs)
    rows = dict(zip(places.tolist(), shards.rows_at(places), strict=True))
    return np.fromiter((ask_the_same(rows[one], rows[other]) for one, other in pairs.tolist()), bool)
