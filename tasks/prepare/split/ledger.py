"""The ledger of the split: on which side each prompt and each group was placed, once and for all.

It lies with the splits and only ever grows. Prompts and groups are kept as hashes: it holds no text, and
needs no ids, which may be of other rows tomorrow. Another salt or other shares are another split, and begin a
new one.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.atomic import replacing
from tasks.errors import SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.sides import NOWHERE, SPLITS
from tasks.rows.hashes import HASH, from_hexadecimal, hashed, hexadecimal, places_of
from tasks.rows.identity import prompt_key
from tasks.rows.records import Example, Preference

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from tasks.rows.hashes import Hashes

LEDGER = "ledger.parquet"
_TERMS = b"terms"  # of its metadata: the salt and the shares that the sides were drawn with
_BLOCK = 1 << 20  # entries that are text at once


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The side of each key, by ascending keys; `anew` says that there was one of another salt or shares."""

    keys: "Hashes"
    sides: "NDArray[np.int8]"
    anew: bool = False

    @classmethod
    def empty(cls, *, anew: bool = False) -> "Ledger":
        """A ledger without entries."""
        import numpy as np

        return cls(np.empty(0, HASH), np.empty(0, np.int8), anew)

    def __len__(self) -> int:
        return len(self.keys)

    def sides_of(self, keys: "Hashes") -> "NDArray[np.int8]":
        """The side of each of the keys; NOWHERE for one that was never placed."""
        import numpy as np

        found = places_of(keys, self.keys)
        sides = np.full(len(keys), NOWHERE, np.int8)
        sides[found >= 0] = self.sides[found[found >= 0]]
        return sides

    def grown(self, keys: "Hashes", sides: "NDArray[np.int8]") -> "Ledger":
        """The ledger with what is new among the keys; what it has stays as it is."""
        import numpy as np

        new = places_of(keys, self.keys) < 0
        added, first = np.unique(keys[new], return_index=True)
        keys = np.concatenate([self.keys, added])
        order = np.argsort(keys, kind="stable")
        return Ledger(keys[order], np.concatenate([self.sides, sides[new][first]])[order], self.anew)


def keys_of(row: Example | Preference) -> tuple[bytes, bytes]:
    """What a row is found by in the ledger: the hashes of its prompt and of its group."""
    prompt = json.dumps(prompt_key(row.prompt), ensure_ascii=False)
    return hashed("prompt", prompt), hashed("group", row.group)


def read_ledger(before: Path | None, settings: SplitSettings) -> Ledger:
    """The ledger in the splits of `before`; an empty one where there is none, or one with other terms.

    Raises:
        SourceError: it is damaged. What it says is nowhere else: nothing is placed without it.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = before / LEDGER if before else None
    if path is None or not path.exists():
        return Ledger.empty()
    keys, sides = [np.empty(0, HASH)], [np.empty(0, np.int8)]
    try:
        with pq.ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {})[_TERMS] != _terms(settings):
                return Ledger.empty(anew=True)
            for batch in file.iter_batches(_BLOCK, columns=["key", "side"]):
                sides.append(_numbers(batch["side"]))
                keys.append(from_hexadecimal(batch["key"]))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise SourceError(
            f"{path} cannot be read as the ledger of the split: {error}; bring it back (dvc checkout), "
            "or delete it: rows are then placed by their hash alone, and some may change sides"
        ) from None
    found = np.concatenate(keys)
    order = np.argsort(found, kind="stable")  # it is written in this order, which makes that quick
    return Ledger(found[order], np.concatenate(sides)[order])


def write_ledger(path: Path, ledger: Ledger, settings: SplitSettings) -> None:
    """Write the ledger, atomically; the same sides give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [pa.field(name, pa.string(), nullable=False) for name in ("key", "side")]
    schema = pa.schema(columns, metadata={_TERMS: _terms(settings)})
    names = pa.array(SPLITS)
    with replacing(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as file:
        for start in range(0, max(len(ledger), 1), _BLOCK):
            some = slice(start, start + _BLOCK)
            block = [hexadecimal(ledger.keys[some]), names.take(pa.array(ledger.sides[some]))]
            file.write_table(pa.Table.from_arrays(block, schema=schema))


def _numbers(sides: "pa.Array") -> "NDArray[np.int8]":
    """Sides by their numbers.

    Raises:
        ValueError: one is none.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(sides, pa.array(SPLITS))
    if found.null_count:
        raise ValueError(f"{min(set(sides.to_pylist()) - set(SPLITS))} is no side")
    return found.to_numpy(zero_copy_only=False).astype(np.int8)


def _terms(settings: SplitSettings) -> bytes:
    drawn = {"salt": settings.salt, "validation": settings.validation, "test": settings.test}
    return json.dumps(drawn, sort_keys=True).encode()
