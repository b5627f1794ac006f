"""Protects the split by time: what is trained on is older than what is tested with, and groups stay whole."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.split.chronology import UNREADABLE
from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.sides import SPLITS
from tasks.rows.records import Dropped, Example, Rows
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table
from tests.conftest import small_settings
from tests.tasks.prepare.split.staged import Divided, crossing, divided, entries, places, run
from tests.tasks.rows.made import pair, question, rows

SETTINGS = small_settings().split.model_copy(
    update={"by": "time", "time": "created", "validation": 0.1, "test": 0.2}
)


def dated(name: str, created: str, **changed: object) -> Example:
    """A question with the day that it is of; an empty one is none."""
    metadata = {"created": created} if created else {}
    return question(name, f"What about {name}?", metadata=metadata, **changed)


def days(count: int) -> list[Example]:
    return [dated(f"day {n:02d}", f"2024-03-{n:02d}", group=f"g{n}") for n in range(1, count + 1)]


def found(*examples: Example) -> Divided:
    return divided(rows(*examples), Ledger.empty(), SETTINGS)


def where(*examples: Example) -> dict[str, str]:
    """The split of each group."""
    return {row.group: name for name, part in found(*examples).splits.items() for row in part.examples}


def test_the_newest_share_is_the_test_and_validation_comes_before_it() -> None:
    test = {f"g{n}" for n in range(25, 31)}
    validation = {f"g{n}" for n in range(22, 25)}
    stands = where(*days(30))
    assert {group for group, name in stands.items() if name == "test"} == test
    assert {group for group, name in stands.items() if name == "validation"} == validation
    times = found(*days(30)).times
    assert times
    assert times.figures["test_from"] == "2024-03-25 00:00:00+00:00"
    assert times.told() == (
        "by created: validation from 2024-03-22 00:00:00+00:00 on, test from 2024-03-25 00:00:00+00:00 on"
    )


def test_a_group_stands_where_its_newest_row_does_whatever_the_spelling() -> None:
    moved = dated("old", "2024-03-01", group="late")
    newest = dated("new", "1711929600", group="late")  # 1 April
    assert where(*days(30), moved, newest)["late"] == "test"


def test_rows_of_one_time_are_never_parted() -> None:
    same = [dated(f"same {n}", "2024-05-01", group=f"same {n}") for n in range(20)]
    stands = where(*days(30), *same)
    assert {stands[row.group] for row in same} == {"test"}
    assert stands["g30"] == "validation"  # its share is of all rows, whatever the test has taken


def test_as_new_rows_come_the_test_moves_on() -> None:
    before, after = where(*days(20)), where(*days(31))
    assert before["g20"] == "test"
    assert after["g20"] == "train"
    order = ("train", "validation", "test")
    assert all(order.index(after[group]) <= order.index(name) for group, name in before.items())


def test_the_ledger_of_a_split_by_hash_binds_nothing_and_stays() -> None:
    by_hash = SETTINGS.model_copy(update={"by": "hash"})
    before = divided(rows(*days(20)), Ledger.empty(), by_hash).ledger
    division = divided(rows(*days(30)), before, SETTINGS)
    assert {row.id for row in division.splits["test"].examples} == {f"day {n}" for n in range(25, 31)}
    assert entries(division.ledger) == entries(before) != []
    assert division.bridges == {}
    assert entries(divided(rows(*days(20)), division.ledger, by_hash).ledger) == entries(before)


DATES = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["", *(f"2024-01-{n:02d}" for n in range(1, 29))])),
    min_size=1,
    max_size=60,
)


@settings(max_examples=80)
@given(DATES)
def test_no_training_row_is_newer_than_the_test_begins(told: list[tuple[int, str]]) -> None:
    examples = [dated(str(n), when, group=f"g{group}") for n, (group, when) in enumerate(told)]
    if not any(when for _, when in told):
        with pytest.raises(SourceError, match=r"keep: \[created\]"):
            found(*examples)
        return
    parts = found(*examples).splits
    assert crossing(parts) == []
    assert sum(len(part.examples) for part in parts.values()) == len(examples)
    newest = {name: sorted(_newest_of_groups(part)) for name, part in parts.items()}
    for older, newer in (("train", "validation"), ("train", "test"), ("validation", "test")):
        if newest[older] and newest[newer]:  # type: ignore[index]
            assert newest[older][-1] < newest[newer][0]  # type: ignore[index]
    assert newest["test"]  # whatever the times, the newest is tested with


def _newest_of_groups(part: Rows) -> list[str]:
    """The newest day of each group that has one."""
    known: dict[str, str] = {}
    for row in part.examples:
        if when := row.metadata.get("created"):
            known[row.group] = max(when, known.get(row.group, when))
    return list(known.values())


def test_the_stage_counts_rows_without_a_time_and_leaves_out_those_of_an_unreadable_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undated = [dated(f"undated {n}", "") for n in range(3)]
    odd = [dated("odd", "next May"), pair("odd pair", metadata={"created": "01/02/2024"})]
    named = pair("pair", prompt=question("", "And the pair?").prompt, metadata={"created": "2024-03-31"})
    folder = run(tmp_path, rows(*days(30), *undated, odd[0], pairs=[odd[1], named]), SETTINGS)  # type: ignore[list-item]
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["time"]["undated"] == 3
    assert report.figures["time"]["unreadable"] == 2
    assert report.figures["time"]["newest"] == "2024-03-31 00:00:00+00:00"
    unused = read_table(folder / "unused.parquet", Dropped)
    assert {(row.id, row.reason) for row in unused} == {("odd", UNREADABLE), ("odd pair", UNREADABLE)}
    assert unused[0].detail == "created is neither ISO 8601 nor seconds since 1970"
    where = places(folder)
    assert {where[row.id] for row in undated} == {"train"}
    assert where["day 30"] == "test"
    assert "3 rows have no time and are trained on" in capsys.readouterr().out
    assert set(where.values()) == set(SPLITS)


def test_rows_that_all_have_one_time_leave_nothing_to_train_on(tmp_path: Path) -> None:
    same = [dated(f"s{n}", "2024-05-01") for n in range(9)]
    with pytest.raises(
        SourceError, match=r"no example fell into the split 'train': rows of one time in 'created'"
    ):
        run(tmp_path, rows(*same), SETTINGS)


def test_general_rows_are_replayed_whatever_their_time() -> None:
    general = dated("g", "2025-01-01", task="general", group="chat")
    stands = where(*days(30), general)
    assert stands["chat"] == "train"
    assert stands["g30"] == "test"


def test_without_a_column_there_is_no_split_by_time() -> None:
    with pytest.raises(ValueError, match=r"by: time needs the column that dates rows"):
        type(SETTINGS).model_validate(SETTINGS.model_dump() | {"time": None})
    by_hash = SETTINGS.model_copy(update={"by": "hash"})
    assert divided(rows(*days(3)), Ledger.empty(), by_hash).times is None
