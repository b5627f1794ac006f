"""The rows that must not go on, and why: a bit for each reason, in an array with a place for each row."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.tables import Tables, names_at
from tasks.rows.cutting import ROWS_A_SHARD
from tasks.rows.records import Dropped, RowKind
from tasks.rows.tables import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Quarantine:
    """Rows that fail a critical expectation; those that share an id are held back together."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._reasons: dict[RowKind, list[Finding]] = {}
        self._bits: dict[RowKind, NDArray[Any]] = {}
        self._ids: dict[RowKind, NDArray[Any]] = {}

    def hold(
        self, kind: RowKind, ids: "NDArray[Any]", found: "Sequence[tuple[Finding, NDArray[Any]]]"
    ) -> None:
        """Take the rows of a kind that failed; rows with one id share a number in `ids`."""
        import numpy as np

        critical = [(finding, places) for finding, places in found if finding.severity == "critical"]
        bits = np.zeros(ids.max(initial=-1) + 1, dtype=np.uint64)
        for number, (_, places) in enumerate(critical):
            bits[np.unique(ids[places])] |= np.uint64(1 << number)
        self._reasons[kind] = [finding for finding, _ in critical]
        self._bits[kind], self._ids[kind] = bits, ids

    def counts(self) -> dict[RowKind, Counter[str]]:
        """How many rows of each kind are held back, by reason."""
        import numpy as np

        counts: dict[RowKind, Counter[str]] = {kind: Counter() for kind in KINDS}
        for kind, bits in self._bits.items():
            held = bits[self._ids[kind]]
            values, times = np.unique(held[held > 0], return_counts=True)
            for value, count in zip(values.tolist(), times.tolist(), strict=True):
                counts[kind][", ".join(finding.name for finding in self._why(kind, value))] += count
        return counts

    def lines(self) -> Iterator[Dropped]:
        """A line for each id that is held back, with all its reasons, by kind and id."""
        import numpy as np
        import pyarrow.compute as pc

        for kind in sorted(self._bits):
            bits, ids = self._bits[kind], self._ids[kind]
            if not bits.any():
                continue
            last = np.zeros(len(bits), dtype=np.int64)
            last[ids] = np.arange(len(ids))  # of rows with one id the last tells the source
            places = np.sort(last[bits > 0])
            named = names_at(self._tables, kind, places)
            order = pc.sort_indices(named["id"]).to_numpy()
            for start in range(0, len(order), ROWS_A_SHARD):
                some = order[start : start + ROWS_A_SHARD]
                why = bits[ids[places[some]]].tolist()
                for row, value in zip(named.take(some).to_pylist(), why, strict=True):
                    yield self._line(kind, row["id"], row["source"], self._why(kind, value))

    def _why(self, kind: RowKind, bits: int) -> list[Finding]:
        return [finding for number, finding in enumerate(self._reasons[kind]) if bits >> number & 1]

    @staticmethod
    def _line(kind: RowKind, name: str, source: str, failed: Sequence[Finding]) -> Dropped:
        return Dropped(
            id=name,
            kind=kind,
            source=source,
            stage="validate",
            reason=", ".join(finding.name for finding in failed),
            detail=" ".join(finding.description for finding in failed),
        )
