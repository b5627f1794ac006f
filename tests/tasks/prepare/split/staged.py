"""The stage `split` on a few rows, for tests, and how it divides rows that are in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.machine.settings import ParallelSettings
from tasks.prepare.settings import KnowledgeSettings, SplitSettings
from tasks.prepare.similar.rows import near_rows
from tasks.prepare.split import split
from tasks.prepare.split.chronology import Chronology
from tasks.prepare.split.dividing import Division, divide
from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.mentions import Mentions
from tasks.prepare.split.notes import held_hashes, note
from tasks.prepare.split.sides import SPLITS, SplitName
from tasks.rows.hashes import hashed, hashes
from tasks.rows.identity import PromptKey, prompt_key
from tasks.rows.records import Dropped, EvaluationItem, Example, Rows
from tasks.rows.reports import Report, write_report
from tasks.rows.tables import read_table, write_rows, write_table
from tests.conftest import small_settings
from tests.tasks.rows.made import document

SETTINGS = small_settings().split.model_copy(update={"validation": 0.2, "test": 0.2, "salt": "s"})
KNOWLEDGE = KnowledgeSettings(max_drift=0.2, max_lost=0.1, filters=())
ALONE = ParallelSettings(executor="local", workers=1)
DOCUMENT = document("d")


def run(
    tmp_path: Path,
    found: Rows,
    how: SplitSettings,
    *,
    passed: bool = True,
    before: Path | None = None,
    items: Sequence[EvaluationItem] = (),
) -> Path:
    """The splits of rows of which the one called 0 is in quarantine, beside one document."""
    held = Dropped(id="0", kind="example", source="test", stage="validate", reason="odd", detail="")
    with_document = replace(found, documents=(DOCUMENT,))
    return staged(tmp_path, with_document, how, held=[held], passed=passed, before=before, items=items)


def staged(
    place: Path,
    found: Rows,
    how: SplitSettings = SETTINGS,
    *,
    held: Sequence[Dropped] = (),
    passed: bool = True,
    before: Path | None = None,
    items: Sequence[EvaluationItem] = (),
    knowledge: KnowledgeSettings = KNOWLEDGE,
    parallel: ParallelSettings = ALONE,
) -> Path:
    """The splits of rows, by the stage itself; all that it reads and writes stands in `place`."""
    place.mkdir(exist_ok=True)
    write_rows(place / "rows", found)
    write_table(place / "quarantine.parquet", Dropped, held)
    write_table(place / "evaluations.parquet", EvaluationItem, items)
    write_report(place / "gate.json", Report(stage="gate", figures={"passed": passed}))
    split(
        place / "rows",
        place / "quarantine.parquet",
        place / "gate.json",
        place / "evaluations.parquet",
        splits=place / "splits",
        report=place / "report.json",
        before=before,
        work=place / "work",
        parallel=parallel,
        settings=how,
        knowledge=knowledge,
    )
    return place / "splits"


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Rows in memory as they were divided: those of each split, and why the others stand in none."""

    splits: Mapping[SplitName, Rows]
    bridges: Mapping[str, str]
    ledger: Ledger
    times: Chronology | None


def divided(found: Rows, before: Ledger, how: SplitSettings) -> Divided:
    """What the stage does between reading and writing, on rows that are in memory."""
    asked = found.asked
    pairs = [] if how.near_groups is None else near_rows(asked, near=how.near_groups)
    near = np.array([(pair.earlier, pair.later) for pair in pairs], np.int64).reshape(-1, 2)
    named = mentioned(found) if how.whole_documents else Mentions.none()
    division = divide(notes(found, how), near, named, lambda rows: groups_at(found, rows), before, how)
    placed: dict[SplitName, list[object]] = {name: [] for name in SPLITS}
    for row, side, named in zip(asked, division.sides, division.united, strict=True):
        if side >= 0:
            placed[SPLITS[side]].append(replace(row, group=asked[named].group))
    return Divided(
        splits={name: Rows.of(rows) for name, rows in placed.items()},  # type: ignore[arg-type]
        bridges=bridges(found, division),
        ledger=division.ledger,
        times=division.times,
    )


def notes(found: Rows, how: SplitSettings) -> np.ndarray:
    """The notes of all that is asked."""
    none = held_hashes([])
    return np.concatenate([
        note("example", found.examples, none, how), note("preference", found.preferences, none, how)
    ])  # fmt: skip


def mentioned(found: Rows) -> Mentions:
    """The documents that all rows name."""
    named = [
        (n, name) for n, row in enumerate(found.asked) for name in sorted({*row.evidence, *row.withheld})
    ]
    keys = hashes(hashed("document", name) for _, name in named)
    return Mentions(np.array([n for n, _ in named], np.int64), keys)


def groups_at(found: Rows, numbers: np.ndarray) -> pa.Array:
    """The names of the groups of some rows."""
    return pa.array([found.asked[number].group for number in numbers.tolist()], pa.string())


def bridges(found: Rows, division: Division) -> dict[str, str]:
    """What each row that stands nowhere would join, by its id."""
    ids = [row.id for row in found.asked]
    return {
        ids[number]: each.words.format(*(ids[near] for near in each.near))
        for number, each in division.bridges.items()
    }


def entries(ledger: Ledger) -> list[tuple[bytes, str]]:
    """What stands in a ledger, in its order."""
    found = ledger.keys.view(np.uint8).reshape(len(ledger), -1)
    return [(key.tobytes(), SPLITS[side]) for key, side in zip(found, ledger.sides, strict=True)]


def crossing(splits: Mapping[SplitName, Rows]) -> list[str]:
    """The groups and prompts that stand in two splits."""
    groups: dict[str, SplitName] = {}
    prompts: dict[PromptKey, SplitName] = {}
    return [
        row.group
        for name, rows in splits.items()
        for row in rows.asked
        if groups.setdefault(row.group, name) != name
        or prompts.setdefault(prompt_key(row.prompt), name) != name
    ]


def places(folder: Path) -> dict[str, str]:
    """The split of each example that stands in one."""
    return {
        row.id: name for name in SPLITS for row in read_table(folder / name / "examples.parquet", Example)
    }
