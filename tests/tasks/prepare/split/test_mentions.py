"""Protects `split.whole_documents`: no document is asked about on two sides, today and as data grows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import LeakError, SourceError
from tasks.machine.executors import InProcess
from tasks.prepare.split.checks import check_leaks
from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.notes import held_hashes
from tasks.prepare.split.placing import placed
from tasks.prepare.split.shards import Shards
from tasks.prepare.split.sides import NOWHERE, SPLITS
from tasks.rows.records import Dropped, Example, Preference
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table, write_rows
from tests.tasks.prepare.split.staged import SETTINGS, Divided, crossing, divided, places, staged
from tests.tasks.rows.made import pair, question, rows

NONE = Ledger.empty()
WHOLE = SETTINGS.model_copy(update={"whole_documents": True})


def about(name: str, *documents: str, **changed: object) -> Example:
    """A question in a group of its own that rests on documents."""
    return question(name, f"question {name}", evidence=documents, **changed)


def sides(division: Divided) -> dict[str, str]:
    return {row.id: name for name, part in division.splits.items() for row in part.asked}


def group_on(side: str) -> str:
    """A group whose hash falls on a side."""
    names = (f"{side} {n}" for n in range(200))
    return next(
        name for name in names if sides(divided(rows(about("x", group=name)), NONE, WHOLE)) == {"x": side}
    )


IN_TRAIN, IN_TEST = group_on("train"), group_on("test")
# Before documents held rows together, so that one of them may be asked about on both sides.
OLD = [about("train", "a", group=IN_TRAIN), about("test", "b", group=IN_TEST)]
LEDGER = divided(rows(*OLD), NONE, WHOLE).ledger

PARTS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 8), st.lists(st.integers(0, 11), max_size=2), st.integers(0, 12)), max_size=6
    ),
    min_size=5,
    max_size=5,
)


@given(drawn=PARTS)
@settings(max_examples=40)
def test_no_document_is_asked_about_on_two_sides_and_no_row_moves_as_data_grows(
    drawn: Sequence[Sequence[tuple[int, Sequence[int], int]]],
) -> None:
    ledger, before, came = NONE, dict[str, str](), list[Example | Preference]()
    for step, part in enumerate(drawn):
        for n, (asked, documents, group) in enumerate(part):
            row = about(f"{step} {n}", *(f"d{each}" for each in documents), group=f"g{group}")
            row = replace(row, messages=question("", f"question {asked}").messages)
            opinion = pair(row.id, prompt=row.prompt, evidence=row.evidence, group=row.group)
            came.append(opinion if n % 2 else row)
        division = divided(
            rows(
                *(row for row in came if isinstance(row, Example)),
                pairs=[row for row in came if isinstance(row, Preference)],
            ),
            ledger,
            WHOLE,
        )
        found = sides(division)
        assert {name: found[name] for name in before} == before
        assert found.keys() | division.bridges.keys() == {row.id for row in came}
        assert crossing(division.splits) == []
        asked_about: Mapping[str, set[str]] = {f"d{n}": set() for n in range(12)}
        for row in came:
            for each in row.evidence:
                asked_about[each] |= {found[row.id]} if row.id in found else set()
        assert [each for each, where in asked_about.items() if len(where) > 1] == []
        ledger, before = division.ledger, found


def test_rows_of_one_document_stand_together_and_those_of_several_connect_them() -> None:
    apart = [about(f"r{n}", f"d{n}") for n in range(40)]
    assert set(sides(divided(rows(*apart), NONE, WHOLE)).values()) == set(SPLITS)
    chained = [replace(row, evidence=(f"d{n}", f"d{n + 1}")) for n, row in enumerate(apart)]
    assert len(set(sides(divided(rows(*chained), NONE, WHOLE)).values())) == 1
    assert len(set(sides(divided(rows(*chained), NONE, SETTINGS)).values())) == 3


def test_a_document_that_is_withheld_and_one_of_a_preference_count_as_well() -> None:
    opinions = [pair(f"p{n}", prompt=about(f"p{n}").prompt, evidence=("d",)) for n in range(20)]
    hidden = [about(f"h{n}", withheld=("d",)) for n in range(20)]
    found = sides(divided(rows(about("e", "d"), *hidden, pairs=opinions), NONE, WHOLE))
    assert len(found) == 41
    assert len(set(found.values())) == 1


def test_a_new_row_inherits_the_side_of_its_document_even_if_all_that_named_it_are_gone() -> None:
    for document, side in (("a", "train"), ("b", "test")):
        new = [about(f"n{n}", document) for n in range(20)]
        assert set(sides(divided(rows(*new), LEDGER, WHOLE)).values()) == {side}


def test_a_chain_of_documents_from_one_side_to_the_other_breaks_at_a_single_row() -> None:
    chain = [about(f"c{n}", f"c{n}", f"c{n + 1}") for n in range(20)]
    for new in (
        [*chain, about("trained", "c20", "a"), about("tested", "c0", "b")],
        [about("tested", "c0", "b"), *chain, about("trained", "c20", group=IN_TRAIN)],
    ):
        division = divided(rows(*OLD, *new), LEDGER, WHOLE)
        assert len(division.bridges) == 1
        found = sides(division)
        assert {found[name] for name in ("train", "trained") if name in found} == {"train"}
        assert {found[name] for name in ("test", "tested") if name in found} == {"test"}


def test_a_row_that_names_documents_of_two_sides_stands_nowhere() -> None:
    new = [about("both", "a", "b"), about("of a group", "b", group=IN_TRAIN)]
    division = divided(rows(*OLD, *new), LEDGER, WHOLE)
    assert sides(division) == {"train": "train", "test": "test"}
    assert division.bridges == {
        "both": "would join test (its document) and train (its document)",
        "of a group": "would join test (its document) and train (its group)",
    }


def test_where_documents_begin_to_count_the_test_stays_and_what_joins_it_steps_back() -> None:
    found = rows(*OLD, about("also", "b", group=IN_TRAIN), about("other", "c", group=IN_TRAIN))
    before = divided(found, NONE, SETTINGS)
    assert sides(before) == {"train": "train", "test": "test", "also": "train", "other": "train"}
    division = divided(found, before.ledger, WHOLE)
    assert sides(division) == {"train": "train", "test": "test", "other": "train"}
    assert division.bridges == {"also": "stands in train, and its document in test"}


def test_the_stage_takes_out_what_names_a_document_of_a_test_set_of_ones_own(tmp_path: Path) -> None:
    many = [about(f"e{n}", f"d{n}") for n in range(60)]
    first = places(staged(tmp_path / "first", rows(*many), WHOLE))
    trained = next(name for name, side in first.items() if side == "train")
    own = about("own", trained.replace("e", "d"), held_out="own questions")
    assert places(staged(tmp_path / "off", rows(*many, own)))[trained] == "train"
    folder = staged(tmp_path / "on", rows(*many, own), WHOLE)
    assert places(folder) == {name: side for name, side in first.items() if name != trained} | {"own": "test"}
    (lost,) = read_table(folder / "unused.parquet", Dropped)
    assert (lost.id, lost.reason) == (trained, "of a document of a held-out question")
    assert lost.detail == "own (own questions)"
    report = read_report(tmp_path / "on/report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["decontaminated"]["own questions"][lost.reason] == 1


def test_a_document_on_two_sides_is_a_leak(tmp_path: Path) -> None:
    own = about("own", "d", held_out="own questions")
    write_rows(tmp_path, rows(about("1", "d", group="g"), about("2", "e"), own))
    placing = placed(
        Shards(tmp_path), held_hashes([]), NONE, WHOLE, executor=InProcess(), work=tmp_path / "work"
    )
    for ours, leaks in ((NOWHERE, False), (2, False), (0, True)):
        placing.sides[:] = [ours, 0, 2]
        if leaks:
            with pytest.raises(LeakError, match="a document of the group 'g' stands in train and in test"):
                check_leaks(placing)
        else:
            check_leaks(placing)


def test_where_documents_hold_all_rows_together_the_stage_says_so(tmp_path: Path) -> None:
    chained = rows(*(about(str(n), f"d{n}", f"d{n + 1}") for n in range(20)))
    with pytest.raises(SourceError, match=r"20 of 20 rows .* split\.whole_documents to false"):
        staged(tmp_path, chained, WHOLE)
