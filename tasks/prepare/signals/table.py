"""The signals of all rows as one Parquet table, and as quantiles for the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.atomic import replacing
from tasks.prepare.signals import SIGNALS, signals
from tasks.prepare.signals.subject import taught
from tasks.rows.records import RowKind, Rows

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


def write_signals(path: Path, rows: Rows) -> Quantiles:
    """Write a line for each row: `id`, `kind`, `source`, and a column for each signal; its quantiles by kind.

    The signals are those of the answer (of the better one), or of a document's text. No text is in the table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: Quantiles = {}
    columns: dict[str, list[str]] = {"id": [], "kind": [], "source": []}
    measured: dict[str, list[float]] = {name: [] for name in SIGNALS}
    for kind, part in rows.by_kind().items():
        values = [signals(taught(row)) for row in part]
        for name, column in measured.items():
            column += [value[name] for value in values]
        columns["id"] += [row.id for row in part]
        columns["kind"] += [kind] * len(part)
        columns["source"] += [row.source for row in part]
        if values:
            found[kind] = {name: _quantiles([value[name] for value in values]) for name in SIGNALS}
    table = pa.table(
        {
            **{name: pa.array(column, pa.string()) for name, column in columns.items()},
            **{name: pa.array(column, pa.float64()) for name, column in measured.items()},
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")
    return found


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    import numpy as np

    found = np.quantile(values, list(QUANTILES.values()))
    return {name: round(float(value), 4) for name, value in zip(QUANTILES, found, strict=True)}
