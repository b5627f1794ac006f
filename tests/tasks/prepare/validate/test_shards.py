"""Protects validation by shards: many give what one gives, in this process and in others."""

import random
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tasks.machine import shards as kept
from tasks.machine.executors import InProcess, executing
from tasks.machine.settings import ParallelSettings
from tasks.prepare.validate.frames import frames
from tasks.prepare.validate.profile import profile
from tasks.prepare.validate.suites import check
from tasks.prepare.validate.tables import InFolder, InMemory, names_at
from tasks.rows import cutting
from tasks.rows.records import Rows
from tasks.rows.tables import KINDS, read_rows, write_rows
from tests.tasks.prepare.validate.judging import SETTINGS, answer, failed, judge
from tests.tasks.rows.made import document, pair, question, rows

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
OUTPUTS = ("profile.json", "page.html", "validate.json")


def faulty() -> Rows:
    """Rows of which some fail each kind of expectation, with ids and groups that are far apart."""
    draw = random.Random(3)
    documents = [document(f"d{n}", f"Fact {n}.", title=f"T{n}") for n in range(12)]
    documents += [document("d3", "Another fact 3."), document("q5")]
    examples = [
        question(
            f"q{draw.randrange(30)}",
            f"Why {draw.randrange(9)}?",
            draw.choice(["Because.", "So.", " ", "word " * 12]),
            evidence=(f"d{draw.randrange(15)}", f"d{draw.randrange(12)}"),
            quote=draw.choice(["", f"Fact {draw.randrange(12)}.", "Nowhere"]),
            group=f"g{draw.randrange(4)}",
            source=draw.choice(["one.jsonl", "two.jsonl"]),
        )
        for _ in range(40)
    ]
    asked = examples[1].prompt
    pairs = [pair(f"p{n}", "Good.", draw.choice(["Because.", "So."]), prompt=asked) for n in range(9)]
    return rows(*examples, pairs=[*pairs, replace(pairs[0], margin=-1.0)], documents=documents)


def test_many_shards_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = faulty()
    held, report = judge(given, tmp_path / "one")
    assert {"example.id_unique", "example.quote_stands", "example.spoken", "preference.margin"} <= failed(
        report
    )
    assert "preference.agrees" in failed(report)
    assert len(held) > 10
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 7)
    assert judge(given, tmp_path / "many")[0] == held
    for name in OUTPUTS:
        assert (tmp_path / "many" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_killed_validation_goes_on_with_the_shards_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 7)
    made, left = list[tuple[str, int]](), [True]
    make_one = kept._make_one

    def killed(make: kept.Make, folder: Path, number: int) -> None:
        if (folder.name, number) == ("example", 4) and left:
            left.clear()
            (folder / f".{number:06d}.partial-0").mkdir()  # as a process that was killed leaves it
            raise KeyboardInterrupt
        made.append((folder.name, number))
        make_one(make, folder, number)

    monkeypatch.setattr(kept, "_make_one", killed)
    with pytest.raises(KeyboardInterrupt):
        judge(faulty(), tmp_path / "killed", work=tmp_path / "work")
    held, _ = judge(faulty(), tmp_path / "killed", work=tmp_path / "work")
    tables = InFolder(tmp_path / "killed/rows")
    assert sorted(made) == sorted((kind, n) for kind in KINDS for n in range(len(tables.sizes(kind))))
    whole, _ = judge(faulty(), tmp_path / "whole")
    assert held == whole
    for name in (*OUTPUTS, "quarantine.parquet"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    for kind, lines in frames(tables, InProcess(), work=tmp_path / "work").items():
        pd.testing.assert_frame_equal(lines, frames(tables, InProcess())[kind])


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_memory_and_other_processes_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    if executor == "ray":
        pytest.importorskip("ray", reason="the extra ray is not installed")
    given = faulty()
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 16)
    write_rows(tmp_path, given)
    folder, memory = InFolder(tmp_path), InMemory(given)
    wanted = frames(memory, InProcess())
    shared = ParallelSettings.model_validate({"executor": executor, "workers": 2})
    with executing(shared, shards=6) as pool:
        found = frames(folder, pool)
    for kind, lines in wanted.items():
        pd.testing.assert_frame_equal(found[kind], lines)
    assert profile(folder, made_with="") == profile(memory, made_with="")
    one, other = (check(each, SETTINGS) for each in (folder, memory))
    assert one.findings == other.findings
    assert one.quarantine.counts() == other.quarantine.counts()
    assert list(one.quarantine.lines()) == list(other.quarantine.lines())


def test_lines_of_the_quarantine_are_by_id_with_all_reasons_and_the_last_source() -> None:
    twice = question("b", source="first")
    given = rows(question("c", " "), twice, replace(answer(twice, ""), source="last"), question("a"))
    judged = check(InMemory(given), SETTINGS)
    assert [(row.id, row.source, row.reason) for row in judged.quarantine.lines()] == [
        ("b", "last", "id_unique, spoken"),
        ("c", "test", "spoken"),
    ]
    assert judged.quarantine.counts()["example"] == {"id_unique, spoken": 2, "spoken": 1}
    (unique,) = [finding for finding in judged.findings if finding.name == "id_unique" and finding.failed]
    assert (unique.failed, unique.examples, unique.more, unique.seen) == (2, (("b", "last"),), 0, None)


def test_of_many_rows_that_fail_the_first_are_named() -> None:
    given = rows(*(question(f"q{number}", " ") for number in range(9)))
    (spoken,) = [
        each for each in check(InMemory(given), SETTINGS).findings if each.name == "spoken" and each.failed
    ]
    assert [name for name, _ in spoken.examples] == ["q0", "q1", "q2", "q3", "q4"]
    assert (spoken.failed, spoken.more) == (9, 4)


def test_names_are_found_by_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 3)
    write_rows(tmp_path, rows(*(question(f"q{number}") for number in range(10))))
    assert len(read_rows(tmp_path).examples) == 10
    found = names_at(InFolder(tmp_path), "example", np.array([0, 2, 3, 9]))
    assert found["id"].to_pylist() == ["q0", "q2", "q3", "q9"]
