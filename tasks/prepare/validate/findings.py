"""What came of each expectation, and what follows for the rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tasks.prepare.validate.tables import Tables, names_at
from tasks.prepare.validate_settings import Severity
from tasks.rows.records import RowKind
from tasks.rows.reports import RowCount, row_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMED = 5  # rows of each expectation that was not met; the quarantine has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One expectation and how it went.

    So many rows `failed` it, of `judged` rows; `examples` are the first of them, each by its id and its
    source, and there are `more` ids. `about_rows` is False where it judges the table as a whole, and then
    `observed` is what was seen. `expected` is the bound in words, `column` what of a row is held against it
    (empty: the rows are counted), and `seen` the least and the greatest number in the rows that failed, if it
    holds numbers. `key` is the setting that holds the bound, if one does, `detail` what else there is to say,
    and `remedy` what may be done beside mending the rows. `error` says why it could not run; empty if it ran.
    """

    table: RowKind
    name: str
    description: str
    column: str
    expected: str
    severity: Severity
    about_rows: bool
    passed: bool
    judged: int
    failed: int
    seen: tuple[float, float] | None
    observed: float | None
    key: str
    error: str
    detail: str = ""
    remedy: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    more: int = 0

    def told(self) -> str:
        """What went wrong, in a few words."""
        if self.error:
            return f"could not run: {self.error}"
        if self.about_rows:
            return f"{self.failed:,} of {self.judged:,} rows"
        seen = "there are no rows" if self.observed is None else f"it is {self.observed:.4g}"
        return f"{seen}: {self.detail}" if self.detail and not self.passed else seen


def named(
    tables: Tables, table: RowKind, ids: "NDArray[Any]", found: "Sequence[tuple[Finding, NDArray[Any]]]"
) -> list[Finding]:
    """The findings of a table with the first rows that failed; rows that share a number in `ids` are one."""
    import numpy as np

    firsts: list[NDArray[Any]] = []
    result: list[Finding] = []
    for finding, places in found:
        several = np.sort(np.unique(ids[places], return_index=True)[1])
        firsts.append(places[several[:NAMED]])
        result.append(replace(finding, more=max(len(several) - NAMED, 0)))
    # Of rows with one id the last tells the source.
    lasts = {place: int(np.flatnonzero(ids == ids[place])[-1]) for some in firsts for place in some.tolist()}
    wanted = np.unique(np.array([*lasts.keys(), *lasts.values()], dtype=np.int64))
    if not len(wanted):
        return result
    told = names_at(tables, table, wanted).to_pylist()
    row_at = dict(zip(wanted.tolist(), told, strict=True))
    return [
        replace(
            finding,
            examples=tuple((row_at[place]["id"], row_at[lasts[place]]["source"]) for place in some.tolist()),
        )
        for finding, some in zip(result, firsts, strict=True)
    ]


def counted(rows: Mapping[RowKind, int], held: Mapping[RowKind, Counter[str]]) -> list[RowCount]:
    """The row accounting, from how many rows there are and how many are held back, by reason."""
    counts: list[RowCount] = []
    for kind, count in rows.items():
        counts += row_counts(kind, count, kept=count - held[kind].total(), quarantined=held[kind])
    return counts
