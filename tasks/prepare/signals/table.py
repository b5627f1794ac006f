"""The signals of all rows as one Parquet table, and as quantiles for the report."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.signals import SIGNALS, signals
from tasks.prepare.signals.subject import taught
from tasks.rows.records import RowKind, Rows
from tasks.rows.tables import write_arrow

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

QUANTILES: Mapping[str, float] = {
    "least": 0.0,
    "1%": 0.01,
    "25%": 0.25,
    "median": 0.5,
    "75%": 0.75,
    "99%": 0.99,
    "most": 1.0,
}
Quantiles = dict[RowKind, dict[str, dict[str, float]]]


def table_schema() -> "pa.Schema":
    """The columns: `id`, `kind`, `source`, and one for each signal."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("id", "kind", "source")]
    return pa.schema([*texts, *((name, pa.float64()) for name in SIGNALS)])


def measured(rows: Rows) -> "pa.Table":
    """A line for each row: the signals of its answer (of the better one), or of a document's text.

    No text is in the table.
    """
    import pyarrow as pa

    lines = [(row, kind) for kind, part in rows.by_kind().items() for row in part]
    values = [signals(taught(row)) for row, _ in lines]
    columns: list[Sequence[str] | Sequence[float]] = [
        [row.id for row, _ in lines],
        [kind for _, kind in lines],
        [row.source for row, _ in lines],
        *([value[name] for value in values] for name in SIGNALS),
    ]
    return pa.table(columns, schema=table_schema())


def write_signals(path: Path, tables: "Iterable[pa.Table]") -> Quantiles:
    """Write tables of `measured` rows as one, kinds apart, and give the quantiles of each signal by kind."""
    import pyarrow.parquet as pq

    write_arrow(path, table_schema(), tables)
    # Column by column, for all of them together may not fit into memory.
    kinds = pq.read_table(path, columns=["kind"], read_dictionary=["kind"])["kind"].to_numpy()
    found: Quantiles = {}
    for name in SIGNALS:
        values = pq.read_table(path, columns=[name])[name].to_numpy()
        for kind in dict.fromkeys(kinds.tolist()):
            found.setdefault(kind, {})[name] = _quantiles(values[kinds == kind])
    return found


def _quantiles(values: "NDArray[np.float64]") -> dict[str, float]:
    import numpy as np

    found = np.quantile(values, list(QUANTILES.values()))
    return {name: round(float(value), 4) for name, value in zip(QUANTILES, found, strict=True)}
