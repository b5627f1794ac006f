"""Protects what may be chosen, and that chosen rows come back as they were."""

import json
from pathlib import Path

from deploy.messages import Message
from tasks.prepare.collect.addresses import Addresses
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.selection.choosing import Chosen
from tasks.prepare.selection.pool import as_records, pool_of
from tasks.rows.records import Example, Rows
from tests.tasks.rows.made import document, question


def back(rows: list[Example], folder: Path, **changed: object) -> Rows:
    chosen = [Chosen(place=place, score=0.5) for place in range(len(rows))]
    records = as_records(rows, chosen, [document("d1", uri="py:a.b@1.0")], by="length")
    path = folder / "curated.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    source = FileSource(kind="file", path=path, **changed)  # type: ignore[arg-type]
    return in_memory(read_file(source, watched=folder)).rows


def test_rows_that_are_not_trained_on_are_no_candidates() -> None:
    found = pool_of(
        [
            question("a"),
            question("held", held_out="own"),
            question("withheld", withheld=("d",)),
            question("general", task="general"),
        ],
        most=None,
        seed=1,
    )
    assert [row.id for row in found.rows] == ["a"]
    assert sum(found.left_out.values()) == 3
    assert len(found.left_out) == 3


def test_a_pool_is_drawn_by_lot_and_what_is_not_drawn_is_counted() -> None:
    rows = [question(str(n)) for n in range(20)]
    one, two = (pool_of(rows, most=5, seed=seed) for seed in (1, 2))
    assert len(one.rows) == len(two.rows) == 5
    assert one.rows != two.rows
    assert one.left_out == {"not drawn into the pool": 15}
    assert pool_of(rows, most=50, seed=1).left_out == {}


def test_a_chosen_row_comes_back_with_all_that_a_file_can_say(tmp_path: Path) -> None:
    turns = tuple(
        Message(role, text)  # type: ignore[arg-type]
        for role, text in (
            ("system", "Be brief."),
            ("user", "Why?"),
            ("assistant", "So."),
            ("user", "And?"),
            ("assistant", "\u00e9."),
        )
    )
    row = question(
        "faq.csv:7",
        messages=turns,
        source="faq.csv",
        task="default",
        group="g",
        evidence=("d1",),
        metadata={"who": "me"},
    )
    (found,) = back([row], tmp_path, keep=["who"]).examples
    assert (found.messages, found.task, found.group) == (row.messages, row.task, row.group)
    assert found.metadata == {"who": "me"}
    assert found.id.endswith("curated.jsonl:7")
    assert Addresses([(["d1"], ["py:a.b@1.1"])]).ids(found.evidence) == ["d1"]


def test_two_files_that_count_from_one_keep_their_rows_apart(tmp_path: Path) -> None:
    rows = [question(f"{name}:1", f"{name}?", source=name) for name in ("a.csv", "b.csv")]
    found = back(rows, tmp_path).examples
    assert len({row.id for row in found}) == 2


def test_what_a_source_calls_its_columns_changes_nothing(tmp_path: Path) -> None:
    row = question("1", metadata={"id": "2", "task": "other", "group": "h"})
    (found,) = back([row], tmp_path).examples
    assert (found.task, found.group) == (row.task, row.group)
