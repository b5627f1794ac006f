"""Protects the ledger: no row changes sides while data grows, and near copies never stand on two."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.rows import near_rows
from tasks.prepare.split.ledger import LEDGER, Ledger, keys_of, read_ledger, write_ledger
from tasks.prepare.split.sides import NOWHERE, TEST, TRAIN, VALIDATION
from tasks.rows.hashes import hashed, hashes
from tasks.rows.records import Dropped, Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table
from tests.conftest import ROOT
from tests.contents import hashes as contents
from tests.tasks.prepare.split.staged import SETTINGS, Divided, crossing, divided, entries, places, run
from tests.tasks.rows.made import question, rows

NONE = Ledger.empty()
# Forty words of its own for each topic, so that one word more or less is near, and another topic is not.
LETTERS = "abcdefghij"


def asked(name: str, topic: int, variant: int, group: str) -> Example:
    """A long question on a topic, with one word of it changed for each variant."""
    words = [f"{LETTERS[topic]}{first}{second}" for first in "aeiou" for second in "bcdfghkl"]
    words[7 * variant % len(words)] = f"changed{LETTERS[variant]}"
    return question(name, f"{' '.join(words)}?", f"Of {LETTERS[topic]}.", group=group)


def sides(division: Divided) -> dict[str, str]:
    return {row.id: name for name, part in division.splits.items() for row in part.examples}


def grown(*parts: Sequence[Example], how: SplitSettings = SETTINGS) -> list[Divided]:
    """The divisions of data that grows by a part each time, each after the ledger of the one before."""
    ledger, found = NONE, []
    for count in range(1, len(parts) + 1):
        found.append(divided(rows(*(row for part in parts[:count] for row in part)), ledger, how))
        ledger = found[-1].ledger
    return found


PARTS = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 12)), max_size=6),
    min_size=5,
    max_size=5,
)


@given(drawn=PARTS)
@settings(max_examples=40)
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
        assert found.keys() | division.bridges.keys() == {row.id for row in came}
        assert crossing(division.splits) == []
        for pair in near_rows(came, near=0.5):
            both = [found.get(came[place].id) for place in (pair.earlier, pair.later)]
            assert None in both or both[0] == both[1]
        before = found


@given(drawn=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=2, max_size=25))
@settings(max_examples=60)
def test_planted_copies_stand_together_from_the_start(drawn: list[tuple[int, int]]) -> None:
    found = [asked(str(n), topic, variant, f"group {n}") for n, (topic, variant) in enumerate(drawn)]
    stands = sides(divided(rows(*found), NONE, SETTINGS))
    for topic in range(10):
        assert len({stands[str(n)] for n, (about, _) in enumerate(drawn) if about == topic}) <= 1


def topics(side: str, count: int = 1) -> list[tuple[int, str]]:
    """Topics with a group each whose hash falls on a side."""
    found = []
    for topic in range(10):
        for n in range(200):
            row = asked("x", topic, 0, f"g{topic} {n}")
            if sides(divided(rows(row), NONE, SETTINGS))["x"] == side:
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
    assert key == "bridge"
    assert "test" in told
    assert "train" in told
    # It is asked anew each time, and leaves no trace.
    assert sides(divided(rows(*OLD, beside), division.ledger, SETTINGS)) == sides(division)


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
    first = divided(rows(*OLD, *more), NONE, SETTINGS)
    found = divided(rows(*regrouped), first.ledger, SETTINGS)
    assert sides(found) == {"test": "test"}
    assert found.bridges.keys() == {"train", "also"}
    assert set(found.bridges.values()) == {"stands in train, and its group in test"}
    assert sides(divided(rows(*OLD, *more), found.ledger, SETTINGS)) == sides(first)


def test_a_row_that_goes_and_comes_back_stands_where_it_stood() -> None:
    ledger = divided(rows(*OLD), NONE, SETTINGS).ledger
    later = divided(rows(asked("x", 6, 0, "other")), ledger, SETTINGS).ledger
    moved = [replace(row, id=f"again {row.id}", group=f"{row.group} renamed") for row in OLD]
    assert sides(divided(rows(*moved), later, SETTINGS)) == {"again train": "train", "again test": "test"}


def test_without_a_share_only_groups_and_prompts_hold_rows_together() -> None:
    how = SETTINGS.model_copy(update={"near_groups": None})
    near = asked("near", TESTED, 1, IN_TRAIN)
    assert sides(grown(OLD, [near], how=how)[1])["near"] == "train"


def test_the_ledger_is_read_as_it_was_written_and_begins_anew_with_another_salt(tmp_path: Path) -> None:
    ledger = divided(rows(*OLD), NONE, SETTINGS).ledger
    write_ledger(tmp_path / LEDGER, ledger, SETTINGS)
    assert entries(read_ledger(tmp_path, SETTINGS)) == entries(ledger)
    assert len(ledger) == 4
    for changed in ({"salt": "other"}, {"test": 0.3}, {"validation": 0.3}):
        anew = read_ledger(tmp_path, SETTINGS.model_copy(update=changed))
        assert (len(anew), anew.anew) == (0, True)
    assert entries(read_ledger(tmp_path, SETTINGS.model_copy(update={"near": 0.9}))) == entries(ledger)
    for none in (read_ledger(tmp_path / "none", SETTINGS), read_ledger(None, SETTINGS)):
        assert (len(none), none.anew) == (0, False)


def test_a_ledger_of_yesterday_is_read(tmp_path: Path) -> None:
    """As the version 0.1 wrote it: digits of keys, and names of sides."""
    terms = {b"terms": b'{"salt": "s", "test": 0.2, "validation": 0.2}'}
    keys = [hashlib.blake2b(text.encode(), digest_size=12).hexdigest() for text in ("group|g", "group|h")]
    columns = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("key", "side")])
    table = pa.table({"key": keys, "side": ["test", "validation"]}, schema=columns.with_metadata(terms))
    pq.write_table(table, tmp_path / LEDGER, compression="zstd")
    found = read_ledger(tmp_path, SETTINGS)
    sides = found.sides_of(hashes(keys_of(question("x", group=group))[1] for group in "hxg"))
    assert sides.tolist() == [VALIDATION, NOWHERE, TEST]
    write_ledger(tmp_path / LEDGER, found, SETTINGS)
    assert [pq.read_table(tmp_path / LEDGER)[name].to_pylist() for name in ("key", "side")] == [
        *map(list, zip(*sorted(zip(keys, ["test", "validation"], strict=True)), strict=True))
    ]


def test_a_ledger_grows_by_what_is_new_and_keeps_what_it_has() -> None:
    old, new = (hashes(hashed("group", str(n)) for n in numbers) for numbers in (range(90), range(50, 150)))
    ledger = NONE.grown(old, np.full(90, TEST, np.int8))
    grown = ledger.grown(np.tile(new, 2), np.full(200, TRAIN, np.int8))
    assert len(grown) == 150
    assert grown.sides_of(old).tolist() == [TEST] * 90
    assert grown.sides_of(new[40:]).tolist() == [TRAIN] * 60
    assert entries(grown) == sorted(entries(grown))


def test_a_damaged_ledger_places_nothing(tmp_path: Path) -> None:
    write_ledger(tmp_path / LEDGER, divided(rows(*OLD), NONE, SETTINGS).ledger, SETTINGS)
    whole = (tmp_path / LEDGER).read_bytes()
    for damaged in (whole[:-10], b"", b"no table"):
        (tmp_path / LEDGER).write_bytes(damaged)
        with pytest.raises(SourceError, match=r"ledger\.parquet cannot be read.*dvc checkout"):
            read_ledger(tmp_path, SETTINGS)
    for key, side, told in (("ab" * 12, "elsewhere", "elsewhere"), ("ab", "train", "2 to 2 digits")):
        terms = {b"terms": pq.read_schema(io.BytesIO(whole)).metadata[b"terms"]}
        table = pa.table({"key": [key], "side": [side]}).replace_schema_metadata(terms)
        pq.write_table(table, tmp_path / LEDGER)
        with pytest.raises(SourceError, match=told):
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
    before = contents(tmp_path / "splits")
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
    assert contents(tmp_path / "splits") == before
    assert started("end") == 0
    assert {path.name for path in (tmp_path / "splits").iterdir()} >= {LEDGER, "train"}
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".splits")] == []
