"""The ledger of the split: on which side each prompt and each group was placed, once and for all.

It lies with the splits and only ever grows. Prompts and groups are kept as hashes: it holds no text, and
needs no ids, which may be of other rows tomorrow. Another salt or other shares are another split, and begin a
new one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from deploy.atomic import replacing
from tasks.errors import SourceError
from tasks.prepare.settings import SplitSettings
from tasks.rows.identity import prompt_key
from tasks.rows.records import Example, Preference

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
LEDGER = "ledger.parquet"
_TERMS = b"terms"  # of its metadata: the salt and the shares that the sides were drawn with


@dataclass(frozen=True, slots=True)
class Ledger:
    """The side of each key; `anew` says that there was a ledger of another salt, or of other shares."""

    sides: Mapping[str, SplitName]
    anew: bool = False

    def grown(self, sides: Mapping[str, SplitName]) -> "Ledger":
        """The ledger with what is new in `sides` behind what it has, which stays as it is."""
        return Ledger({**sides, **self.sides}, self.anew)


def keys_of(row: Example | Preference) -> tuple[str, str]:
    """What a row is found by in the ledger: its prompt, and its group."""
    prompt = json.dumps(prompt_key(row.prompt), ensure_ascii=False)
    return _hashed("prompt", prompt), _hashed("group", row.group)


def read_ledger(before: Path | None, settings: SplitSettings) -> Ledger:
    """The ledger in the splits of `before`; an empty one where there is none, or one with other terms.

    Raises:
        SourceError: it is damaged. What it says is nowhere else: nothing is placed without it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = before / LEDGER if before else None
    if path is None or not path.exists():
        return Ledger({})
    try:
        table = pq.read_table(path)
        if (table.schema.metadata or {})[_TERMS] != _terms(settings):
            return Ledger({}, anew=True)
        sides = dict(zip(table["key"].to_pylist(), table["side"].to_pylist(), strict=True))
    except (pa.ArrowException, OSError, KeyError) as error:
        sides = {"": str(error)}
    if wrong := set(sides.values()) - set(SPLITS):
        raise SourceError(
            f"{path} cannot be read as the ledger of the split: {min(wrong)}; bring it back (dvc checkout), "
            "or delete it: rows are then placed by their hash alone, and some may change sides"
        )
    return Ledger(sides)


def write_ledger(path: Path, ledger: Ledger, settings: SplitSettings) -> None:
    """Write the ledger, atomically; the same sides give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    entries = sorted(ledger.sides.items())
    columns = {"key": [key for key, _ in entries], "side": [side for _, side in entries]}
    schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in columns])
    table = pa.table(columns, schema=schema.with_metadata({_TERMS: _terms(settings)}))
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def _terms(settings: SplitSettings) -> bytes:
    drawn = {"salt": settings.salt, "validation": settings.validation, "test": settings.test}
    return json.dumps(drawn, sort_keys=True).encode()


def _hashed(*parts: str) -> str:
    return hashlib.blake2b("|".join(parts).encode(), digest_size=12).hexdigest()
