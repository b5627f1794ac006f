"""Which documents rows name, as evidence or as withheld, by places of rows and hashes of documents."""

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from tasks.machine.executors import Executor
from tasks.prepare.split.shards import Shards
from tasks.rows.hashes import HASH, hashed, hashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.rows.hashes import Hashes

    Numbers = NDArray[np.int64]

_COLUMNS = ("evidence", "withheld")


@dataclass(frozen=True, slots=True, eq=False)
class Mentions:
    """The number of a row, ascending, and the key of a document that it names, for each that it names."""

    rows: "Numbers"
    documents: "Hashes"

    @classmethod
    def none(cls) -> "Mentions":
        """Those of rows that name no document, or whose documents are no matter."""
        import numpy as np

        return cls(np.empty(0, np.int64), np.empty(0, HASH))

    def among(self, rows: "Numbers") -> "Mentions":
        """Those of some rows, which ascend, by their numbers among these."""
        import numpy as np

        chosen = np.isin(self.rows, rows)
        return Mentions(np.searchsorted(rows, self.rows[chosen]), self.documents[chosen])


def mentions(shards: Shards, executor: Executor) -> Mentions:
    """The documents that all rows name, by the places of the rows."""
    import numpy as np

    none = Mentions.none()
    found = [none, *executor.map(partial(_named, shards), range(len(shards)))]
    return Mentions(
        np.concatenate([each.rows for each in found]), np.concatenate([each.documents for each in found])
    )


def _named(shards: Shards, number: int) -> Mentions:
    import numpy as np

    shard = shards[number]
    columns = [column.to_pylist() for column in shard.table(*_COLUMNS).columns]
    named = [sorted({*evidence, *withheld}) for evidence, withheld in zip(*columns, strict=True)]
    rows = np.repeat(np.arange(shard.start, shard.start + shard.size), list(map(len, named)))
    return Mentions(rows, hashes(hashed("document", each) for each in chain.from_iterable(named)))
