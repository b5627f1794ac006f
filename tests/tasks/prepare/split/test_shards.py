"""Protects the split of more rows than fit into memory: in many shards it is what it is in one."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.messages import Message
from tasks.machine import shards as kept
from tasks.machine.settings import ParallelSettings
from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.ledger import LEDGER
from tasks.prepare.split.sides import SPLITS
from tasks.prepare.split.writing import APART
from tasks.rows import cutting
from tasks.rows.records import Dropped, EvaluationItem, Example, Preference, Rows
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.tables import read_table
from tests.contents import hashes
from tests.tasks.prepare.split.staged import ALONE, SETTINGS, staged
from tests.tasks.rows.made import document, pair, question, rows

WHOLE = SETTINGS.model_copy(update={"whole_documents": True})
BY_TIME = SETTINGS.model_copy(update={"by": "time", "time": "created", "near_groups": None})
ITEM = "Which river did the last legions of the province cross before the winter of that year began?"
ITEMS = [
    EvaluationItem(id=f"exam.txt:{n}", source="exam.txt", prompt=(Message("user", text),))
    for n, text in enumerate([ITEM, "Who painted the ceiling?"])
]


def mixed(count: int) -> Rows:
    """Rows of every sort, in an order in which what belongs together stands apart."""
    draw = random.Random(1)
    words = [f"{one}{two}" for one in "bcdfgklmnprst" for two in ("an", "el", "ist", "or", "un")]
    examples: list[Example] = []
    pairs: list[Preference] = []
    for n in range(count):
        asked = " ".join(draw.choice(words) for _ in range(12))
        row = question(
            f"e{n}", f"{asked}?", f"Answer {n}.", metadata={"created": f"2024-05-{1 + n % 28:02d}"}
        )
        same = draw.choice(examples) if examples else row
        match n % 13:
            case 2:
                row = replace(row, messages=same.messages)
            case 3:
                row = replace(row, messages=question("", f"Please, {same.prompt[0].content}").messages)
            case 4:
                row = replace(row, group=f"group {n % 5}", task="ticket")
            case 5:
                row = replace(row, held_out="unseen wording", source="packages", group=same.group)
            case 6:
                row = replace(row, held_out="own questions", group=f"group {n % 7}")
            case 7:
                row = replace(row, task="general")
            case 8:
                row = replace(row, messages=question("", "What do they ask?", f"This: {ITEM}").messages)
            case 9:
                row = replace(row, metadata={"created": "next May"} if n % 2 else {})
            case 10:
                pairs.append(pair(f"p{n}", prompt=same.prompt, group=f"group {n}", evidence=("d1",)))
            case 11:
                row = replace(row, evidence=(f"d{n % 9}",), withheld=(f"d{n % 2}",))
        examples.append(row)
    return rows(*examples, pairs=pairs, documents=[document(f"d{n}", f"{ITEM} {n}") for n in range(9)])


FOUND = mixed(140)
HALF = rows(*FOUND.examples[::2], pairs=FOUND.preferences[::3], documents=FOUND.documents)
REASONS = {
    "hash": {"contaminated", "of the group of a held-out question", "leak_bridge", APART},
    "time": {"unreadable_time", APART},
}
HELD = [
    Dropped(id=name, kind=kind, source="test", stage="validate", reason="odd", detail="")  # type: ignore[arg-type]
    for name, kind in (("e7", "example"), ("e36", "example"), ("p23", "preference"), ("d3", "document"))
]


def ran(
    place: Path,
    found: Rows,
    how: SplitSettings,
    *,
    before: Path | None = None,
    parallel: ParallelSettings = ALONE,
) -> tuple[Report, Path]:
    """What the stage has told, and the splits."""
    folder = staged(place, found, how, held=HELD, before=before, items=ITEMS, parallel=parallel)
    return read_report(place / "report.json"), folder


@pytest.mark.parametrize(
    ("how", "executor", "workers"),
    [(SETTINGS, "local", 2), (SETTINGS, "ray", 2), (WHOLE, "local", 1), (BY_TIME, "local", 1)],
    ids=["processes", "ray", "whole documents", "by time"],
)
def test_many_shards_are_split_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: SplitSettings, executor: str, workers: int
) -> None:
    if executor == "ray":
        pytest.importorskip("ray", reason="the extra ray is not installed")
    shared = ParallelSettings.model_validate({"executor": executor, "workers": workers})

    def grown(place: Path, parallel: ParallelSettings) -> list[Report]:
        place.mkdir()
        first, before = ran(place / "first", HALF, how, parallel=parallel)
        second, _ = ran(place / "second", FOUND, how, before=before)
        return [first, second]

    whole = grown(tmp_path / "whole", ALONE)
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 16)
    parts = grown(tmp_path / "parts", shared)
    assert whole == parts
    assert [unbalanced(report.rows) for report in parts] == [[], []]
    for step in ("first/splits", "second/splits"):
        one, other = (tmp_path / each / step for each in ("whole", "parts"))
        assert (one / LEDGER).read_bytes() == (other / LEDGER).read_bytes()
        for name in SPLITS:
            assert standing(one / name) == standing(other / name)
        unused = read_table(one / "unused.parquet", Dropped)
        assert unused == read_table(other / "unused.parquet", Dropped)
    reasons = {row.reason for row in unused}
    assert reasons >= REASONS[how.by]


def standing(folder: Path) -> list[Example | Preference]:
    """The rows of a split."""
    examples = read_table(folder / "examples.parquet", Example)
    return [*examples, *read_table(folder / "preferences.parquet", Preference)]


def test_a_killed_split_goes_on_with_the_shards_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 16)
    made, left = list[int](), [True, False, False]
    make_one = kept._make_one

    def killed(make: kept.Make, folder: Path, number: int) -> None:
        if number == 5 and left.pop(0):
            raise KeyboardInterrupt
        made.append(number)
        make_one(make, folder, number)

    monkeypatch.setattr(kept, "_make_one", killed)
    with pytest.raises(KeyboardInterrupt):
        ran(tmp_path / "killed", FOUND, SETTINGS)
    assert not (tmp_path / "killed/splits").exists()
    went_on, folder = ran(tmp_path / "killed", FOUND, SETTINGS)
    assert sorted(made) == list(range(10))  # each shard once: those of examples, then that of preferences
    report, other = ran(tmp_path / "whole", FOUND, SETTINGS)
    assert went_on == report
    assert hashes(folder) == hashes(other)
