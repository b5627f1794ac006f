"""Protects the split: nothing leaks between splits, and old rows stay where they are when data grows."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import GateError, LeakError, SourceError
from tasks.machine.executors import InProcess
from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.assigning import place
from tasks.prepare.split.checks import check_leaks
from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.notes import held_hashes
from tasks.prepare.split.placing import placed
from tasks.prepare.split.shards import Shards
from tasks.prepare.split.sides import NOWHERE, SPLITS, SplitName
from tasks.rows.held_out import fingerprint
from tasks.rows.records import Document, Dropped, Example, Rows
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table, write_rows
from tests.tasks.prepare.split.staged import SETTINGS, crossing, divided, places, run
from tests.tasks.rows.made import outcomes, pair, question, rows

NONE = Ledger.empty()


def splits(found: Rows, before: Ledger = NONE) -> Mapping[SplitName, Rows]:
    """The splits of rows that are placed for the first time, or after those of a ledger."""
    return divided(found, before, SETTINGS).splits


def where(found: Rows) -> dict[str, str]:
    return {row.id: name for name, part in splits(found).items() for row in part.examples}


def test_shares_are_about_right() -> None:
    places = [place(f"group {n}", SETTINGS) for n in range(5000)]
    assert [round(places.count(name) / 5000, 1) for name in SPLITS] == [0.6, 0.2, 0.2]


GROUPS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), min_size=1, max_size=40)


@given(old=GROUPS, new=GROUPS)
@settings(max_examples=60)
def test_more_data_moves_no_row(old: list[tuple[int, int]], new: list[tuple[int, int]]) -> None:
    before = [question(f"o{n}", f"old {g} {q}", group=f"g{g}") for n, (g, q) in enumerate(old)]
    # New rows: of old groups, and of new ones; no prompt bridges two groups.
    after = [question(f"n{n}", f"new {g} {q}", group=f"g{g + 15}") for n, (g, q) in enumerate(new)]
    places = where(rows(*before))
    grown = where(rows(*before, *after))
    assert {name: grown[name] for name in places} == places


@given(found=GROUPS)
@settings(max_examples=60)
def test_neither_group_nor_prompt_crosses(found: list[tuple[int, int]]) -> None:
    # Prompts are shared between groups here: these have to become one.
    examples = [question(str(n), f"question {q % 7}?", group=f"g{g}") for n, (g, q) in enumerate(found)]
    assert crossing(splits(rows(*examples))) == []


def test_general_rows_are_all_for_training_with_all_that_stands_beside_them() -> None:
    general = [replace(question(f"r{n}", f"general {n}", group=f"h{n}"), task="general") for n in range(30)]
    found = where(rows(*general, question("same", "general 3", group="z"), *_many()))
    assert {found[row.id] for row in general} == {"train"} == {found["same"]}
    assert set(found.values()) == set(SPLITS)


def test_held_out_rows_stand_only_in_the_split_that_asks_them() -> None:
    worded = [
        replace(question(f"{kind}{n}", f"{kind} question {n}", group=f"g{n}"), held_out=kind)
        for n in range(60)
        for kind in ("", "unseen wording", "validation")
    ]
    alone = [
        replace(question(f"p{n}", f"package {n}", group=f"p{n}"), held_out="unseen package")
        for n in range(30)
    ]
    parts = splits(rows(*worded, *alone))
    found = {name: {row.held_out for row in part.examples} for name, part in parts.items()}
    assert found == {
        "train": {""},
        "validation": {"", "validation"},
        "test": {"", "unseen wording", "unseen package"},
    }
    assert {row.id for row in parts["test"].examples} >= {row.id for row in alone}


def test_what_is_held_out_is_counted(tmp_path: Path) -> None:
    held = [
        question(
            str(n),
            f"question {n}?",
            group=f"g{n}",
            held_out="unseen wording" if n % 2 else "",
            source="packages",
        )
        for n in range(60)
    ]
    settings = SETTINGS
    folder = run(
        tmp_path, rows(*held, *(question(f"{n}9999", f"q{n}", group=f"g{n}") for n in range(60))), settings
    )
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    standing = [row for name in SPLITS for row in read_table(folder / name / "examples.parquet", Example)]
    unused = outcomes(report.rows)["unused", "held out, and not in the split that asks it"]
    assert unused == 119 - len(standing) > 10


OWN = [question(f"own{n}", f"What is asked of me about {n}?", held_out="own questions") for n in range(20)]


def test_a_test_set_of_the_users_own_stands_in_the_test_whole_and_moves_nothing(tmp_path: Path) -> None:
    trained = [
        *_many(),
        *(question(f"n{n}", f"And what about subject {n}?", group=f"n{n}") for n in range(60)),
    ]
    alike = [
        question("same", "what is asked of me about 7", group="g0"),  # of a group that is not taken out
        question("near", "About 8: what is asked of me?", group="g1"),
    ]
    before = places(run(tmp_path / "before", rows(*trained), SETTINGS))
    folder = run(tmp_path / "with", rows(*trained, *OWN, *alike), SETTINGS)
    after = places(folder)
    assert {after.pop(row.id) for row in OWN} == {"test"}
    assert before == {name: place for name, place in after.items() if name not in ("same", "near")}
    assert before["e0"] == before["e1"] == "train"  # so those two would be trained on
    assert {"same", "near"} & after.keys() == set()


def test_rows_that_are_taken_out_are_listed_and_counted_for_each_test_set(tmp_path: Path) -> None:
    alike = [question(f"like{n}", f"what is asked of me about {n}", group="g0") for n in range(3)]
    pairs = [pair("pair", prompt=OWN[0].prompt, group="g0")]
    folder = run(tmp_path, rows(*_many(), *OWN, *alike, pairs=pairs), SETTINGS)
    unused = read_table(folder / "unused.parquet", Dropped)
    assert [(row.kind, row.id) for row in unused] == [
        ("example", "like0"),
        ("example", "like1"),
        ("example", "like2"),
        ("preference", "pair"),
    ]
    assert {(row.stage, row.reason) for row in unused} == {("split", "the same as a held-out question")}
    assert unused[0].detail == "own0 (own questions)"
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["decontaminated"]["own questions"]["the same as a held-out question"] == 4
    assert report.figures["held_out"] == {"own questions": {"questions": 20, "version": fingerprint(OWN)}}


def test_what_the_default_source_holds_out_takes_nothing_out(tmp_path: Path) -> None:
    made = [replace(row, source="packages", held_out="unseen wording") for row in OWN]
    alike = question("like", "What is asked of me about 7?", group="g0")
    assert places(run(tmp_path, rows(*_many(), *made, alike), SETTINGS))["like"] == "train"


def test_rows_of_a_held_out_group_and_the_test_split_itself(tmp_path: Path) -> None:
    own = question("own", "What is asked of me?", held_out="own questions", group="g0")
    found = places(run(tmp_path, rows(*_many(), own), SETTINGS))
    assert "e0" not in found  # it would stand in train, and its group in the test
    tested = next(name for name, place in found.items() if place == "test" and name != "own")
    number = tested.removeprefix("e")
    twin = question("twin", f"question {number}", held_out="own questions")
    found = places(run(tmp_path / "twin", rows(*_many(), twin), SETTINGS))
    assert found[tested] == found["twin"] == "test"  # nothing is taken from the test


def _many() -> list[Example]:
    return [question(f"e{n}", f"question {n}", group=f"g{n}") for n in range(60)]


def test_a_leak_is_an_error(tmp_path: Path) -> None:
    own = question("c", "why? ", group="h", held_out="own questions")
    write_rows(tmp_path, rows(question("a", "Why?", group="g"), question("b", "Who?", group="g"), own))
    placing = placed(
        Shards(tmp_path), held_hashes([]), NONE, SETTINGS, executor=InProcess(), work=tmp_path / "work"
    )
    placing.sides[:] = [0, 0, NOWHERE]
    check_leaks(placing)
    placing.sides[:] = [0, 2, NOWHERE]
    with pytest.raises(LeakError, match="the group 'g' stands in train and in test"):
        check_leaks(placing)
    placing.sides[:] = [1, 1, 2]
    with pytest.raises(LeakError, match="a prompt of the group 'g' stands in validation and in test"):
        check_leaks(placing)


def test_the_stage_leaves_out_the_quarantine_and_accounts_for_the_rest(tmp_path: Path) -> None:
    found = rows(*(question(str(n), f"question {n}?", group=f"g{n}") for n in range(60)))
    folder = run(tmp_path, found, SETTINGS)
    kept = [row.id for name in SPLITS for row in read_table(folder / name / "examples.parquet", Example)]
    assert sorted(kept, key=int) == [str(n) for n in range(1, 60)]
    assert len(read_table(folder / "documents.parquet", Document)) == 1
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert sum(part["examples"] for part in report.figures["splits"].values()) == 59


def test_an_empty_split_and_a_closed_gate_are_told(tmp_path: Path) -> None:
    one = rows(question("1", "Why?", group="g"))
    with pytest.raises(SourceError, match=r"give split\.salt another value"):
        run(tmp_path, one, SETTINGS)
    assert run(tmp_path, one, replace_shares(SETTINGS, 0.0))
    with pytest.raises(GateError, match=r"gate\.json says why"):
        run(tmp_path, one, SETTINGS, passed=False)


def replace_shares(how: SplitSettings, share: float) -> SplitSettings:
    return how.model_copy(update={"validation": share, "test": share})


def test_rows_that_share_a_prompt_take_the_group_that_sorts_first() -> None:
    first = question("a", "Why?", group="b")
    found = splits(rows(first, replace(first, id="c", group="a"), question("d", "Who?", group="b")))
    assert [row.group for part in found.values() for row in part.examples] == ["a", "a", "a"]
