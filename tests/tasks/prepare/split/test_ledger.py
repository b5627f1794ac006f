"""Protects the ledger: no row changes sides while data grows, and near copies never stand on two."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.rows import near_rows
from tasks.prepare.split.checks import check_leaks
from tasks.prepare.split.dividing import Division, divide
from tasks.prepare.split.ledger import LEDGER, Ledger, read_ledger, write_ledger
from tasks.rows.records import Dropped, Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table
from tests.conftest import ROOT
from tests.contents import hashes
from tests.tasks.prepare.split.staged import SETTINGS, places, run
from tests.tasks.rows.made import question, rows

NONE = Ledger({})
# Forty words of its own for each topic, so that one word more or less is near, and another topic is not.
LETTERS = "abcdefghij"


def asked(name: str, topic: int, variant: int, group: str) -> Example:
    """A long question on a topic, with one word of it changed for each variant."""
    words = [f"{LETTERS[topic]}{first}{second}" for first in "aeiou" for second in "bcdfghkl"]
    words[7 * variant % len(words)] = f"changed{LETTERS[variant]}"
    return question(name, f"{' '.join(words)}?", f"Of {LETTERS[topic]}.", group=group)


def sides(division: Division) -> dict[str, str]:
    return {row.id: name for name, part in division.splits.items() for row in part.examples}


def grown(*parts: Sequence[Example], how: SplitSettings = SETTINGS) -> list[Division]:
    """The divisions of data that grows by a part each time, each after the ledger of the one before."""
    ledger, found = NONE, []
    for count in range(1, len(parts) + 1):
        found.append(divide(rows(*(row for part in parts[:count] for row in part)), ledger, how))
        ledger = found[-1].ledger
    return found


PARTS = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 12)), max_size=6),
    min_size=5,
    max_size=5,
)


@given(drawn=PARTS)
@settings(deadline=None, max_examples=60)
def test_no_row_moves_as_data_grows_and_no_near_copies_are_parted(
    drawn: list[list[tuple[int, int, int]]],
) -> None:
    parts = [
        [asked(f"{step} {n}", topic, variant, f"g{group}") for n, (topic, variant, group) in enumerate(part)]
        for step, part in enumerate(drawn)
    ]
    before: Mapping[str, str] = {}
    for count, division in enumerate(grown(*parts), start=1):
        found = sides(division)
        assert {name: found[name] for name in before} == before  # none has moved, none is gone
        came = [row for part in parts[:count] for row in part]
        assert found.keys() | {name for _, name in division.bridges} == {row.id for row in came}
        check_leaks(division.splits)
        for pair in near_rows(came, near=0.5):
            both = [found.get(came[place].id) for place in (pair.earlier, pair.later)]
            assert None in both or both[0] == both[1]
        before = found


@given(drawn=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=2, max_size=25))
@settings(deadline=None, max_examples=60)
def test_planted_copies_stand_together_from_the_start(drawn: list[tuple[int, int]]) -> None:
    found = [asked(str(n), topic, variant, f"group {n}") for n, (topic, variant) in enumerate(drawn)]
    stands = sides(divide(rows(*found), NONE, SETTINGS))
    for topic in range(10):
        assert len({stands[str(n)] for n, (about, _) in enumerate(drawn) if about == topic}) <= 1


def topics(side: str, count: int = 1) -> list[tuple[int, str]]:
    """Topics with a group each whose hash falls on a side."""
    found = []
    for topic in range(10):
        for n in range(200):
            row = asked("x", topic, 0, f"g{topic} {n}")
            if sides(divide(rows(row), NONE, SETTINGS))["x"] == side:
                found.append((topic, row.group))
                break
    return found[:count]


(TRAINED, IN_TRAIN), (TESTED, IN_TEST) = topics("train")[0], topics("test", 2)[1]
OLD = [asked("train", TRAINED, 0, IN_TRAIN), asked("test", TESTED, 0, IN_TEST)]


def test_a_new_row_inherits_the_side_of_its_group_its_prompt_or_what_it_is_near_to() -> None:
    groups = {side: next(group for _, group in topics(side)) for side in ("train", "test")}
    new = [
        asked("of the group", 5, 0, IN_TEST),
        replace(OLD[1], id="of the prompt", group=f"{groups['train']} a"),
        asked("near", TESTED, 1, f"{groups['train']} b"),
        asked("near the near", TESTED, 2, f"{groups['train']} b"),
    ]
    found = sides(grown(OLD, new)[1])
    assert {found[row.id] for row in new} == {"test"}
    assert found["train"] == "train"


@pytest.mark.parametrize(
    "bridge",
    [
        asked("bridge", TESTED, 1, IN_TRAIN),
        replace(OLD[0], id="bridge", group=IN_TEST),
        replace(asked("bridge", TESTED, 1, "new"), task="general"),
    ],
)
def test_a_row_that_belongs_with_rows_of_two_sides_stands_nowhere(bridge: Example) -> None:
    beside = asked("beside", 4, 0, "new")
    division = grown(OLD, [bridge, beside])[1]
    assert sides(division).keys() == {"train", "test", "beside"}
    assert {sides(division)[name] for name in ("train", "test")} == {"train", "test"}
    ((key, told),) = division.bridges.items()
    assert key == ("example", "bridge")
    assert "test" in told
    assert "train" in told
    # It is asked anew each time, and leaves no trace.
    assert sides(divide(rows(*OLD, beside), division.ledger, SETTINGS)) == sides(division)


def test_two_new_rows_that_are_a_bridge_only_together_do_not_meet() -> None:
    chain = [
        asked("one", TRAINED, 1, "a"),
        asked("two", TESTED, 1, "a"),
    ]
    found = sides(grown(OLD, chain)[1])
    assert found["train"] == "train"
    assert found["test"] == "test"
    assert len(found.keys() & {"one", "two"}) == 1


def test_where_groups_are_changed_the_test_stays_and_what_joins_it_steps_back() -> None:
    more = [asked("also", 4, 0, IN_TRAIN)]
    regrouped = [replace(row, group="all") for row in [*OLD, *more]]
    first = divide(rows(*OLD, *more), NONE, SETTINGS)
    found = divide(rows(*regrouped), first.ledger, SETTINGS)
    assert sides(found) == {"test": "test"}
    assert {name for _, name in found.bridges} == {"train", "also"}
    assert set(found.bridges.values()) == {"stands in train, and its group in test"}
    assert sides(divide(rows(*OLD, *more), found.ledger, SETTINGS)) == sides(first)


def test_a_row_that_goes_and_comes_back_stands_where_it_stood() -> None:
    ledger = divide(rows(*OLD), NONE, SETTINGS).ledger
    later = divide(rows(asked("x", 6, 0, "other")), ledger, SETTINGS).ledger
    moved = [replace(row, id=f"again {row.id}", group=f"{row.group} renamed") for row in OLD]
    assert sides(divide(rows(*moved), later, SETTINGS)) == {"again train": "train", "again test": "test"}


def test_without_a_share_only_groups_and_prompts_hold_rows_together() -> None:
    how = SETTINGS.model_copy(update={"near_groups": None})
    near = asked("near", TESTED, 1, IN_TRAIN)
    assert sides(grown(OLD, [near], how=how)[1])["near"] == "train"


def test_the_ledger_is_read_as_it_was_written_and_begins_anew_with_another_salt(tmp_path: Path) -> None:
    ledger = divide(rows(*OLD), NONE, SETTINGS).ledger
    write_ledger(tmp_path / LEDGER, ledger, SETTINGS)
    assert read_ledger(tmp_path, SETTINGS).sides == ledger.sides
    assert len(ledger.sides) == 4
    for changed in ({"salt": "other"}, {"test": 0.3}, {"validation": 0.3}):
        assert read_ledger(tmp_path, SETTINGS.model_copy(update=changed)) == Ledger({}, anew=True)
    assert read_ledger(tmp_path, SETTINGS.model_copy(update={"near": 0.9})).sides == ledger.sides
    assert read_ledger(tmp_path / "none", SETTINGS) == read_ledger(None, SETTINGS) == NONE


def test_a_damaged_ledger_places_nothing(tmp_path: Path) -> None:
    write_ledger(tmp_path / LEDGER, divide(rows(*OLD), NONE, SETTINGS).ledger, SETTINGS)
    whole = (tmp_path / LEDGER).read_bytes()
    for damaged in (whole[:-10], b"", b"no table"):
        (tmp_path / LEDGER).write_bytes(damaged)
        with pytest.raises(SourceError, match=r"ledger\.parquet cannot be read.*dvc checkout"):
            read_ledger(tmp_path, SETTINGS)
    write_ledger(tmp_path / LEDGER, Ledger({"key": "elsewhere"}), SETTINGS)  # type: ignore[dict-item]
    with pytest.raises(SourceError, match="elsewhere"):
        read_ledger(tmp_path, SETTINGS)


def test_the_stage_grows_its_ledger_and_counts_what_stands_nowhere(tmp_path: Path) -> None:
    many = [question(f"e{n}", f"question {n}", group=f"g{n}") for n in range(60)]
    first = run(tmp_path / "1", rows(*many, *OLD), SETTINGS)
    bridge = asked("bridge", TESTED, 1, IN_TRAIN)
    second = run(tmp_path / "2", rows(*many, *OLD, bridge), SETTINGS, before=first)
    assert places(second) == places(first)
    (lost,) = read_table(second / "unused.parquet", Dropped)
    assert (lost.id, lost.reason) == ("bridge", "leak_bridge")
    report = read_report(tmp_path / "2/report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["bridges"] == 1
    assert (second / LEDGER).read_bytes() == (first / LEDGER).read_bytes()
    third = run(tmp_path / "3", rows(*many), SETTINGS.model_copy(update={"salt": "t"}), before=second)
    assert read_report(tmp_path / "3/report.json").figures["ledger_anew"] is True
    assert places(third) != {name: side for name, side in places(first).items() if name in places(third)}


def test_a_stage_that_is_killed_leaves_the_splits_and_their_ledger_whole(tmp_path: Path) -> None:
    many = [question(f"e{n}", f"question {n}", group=f"g{n}") for n in range(60)]
    run(tmp_path, rows(*many), SETTINGS)
    before = hashes(tmp_path / "splits")
    run(tmp_path / "more", rows(*many, *OLD), SETTINGS)
    # Killed when all is written and nothing is in its place yet.
    code = (
        "import os, sys, tasks.prepare.split as stage\n"
        "from tasks.command import main\n"
        "if sys.argv.pop() == 'kill': stage.write_report = lambda *_: os._exit(9)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    words = ["split", "more/rows", "more/quarantine.parquet", "more/gate.json", "more/evaluations.parquet"]
    words += ["--splits", "splits", "--report", "report.json"]
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())

    def started(how: str) -> int:
        return subprocess.run(
            [sys.executable, "-c", code, *words, how],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        ).returncode

    assert started("kill") == 9
    assert hashes(tmp_path / "splits") == before
    assert started("end") == 0
    assert {path.name for path in (tmp_path / "splits").iterdir()} >= {LEDGER, "train"}
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".splits")] == []
