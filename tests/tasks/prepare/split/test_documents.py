"""Protects the documents of the splits: training sees no tags, and no document with any where that is set."""

from dataclasses import replace
from pathlib import Path

from tasks.prepare.split.sides import SPLITS
from tasks.rows.records import Document, Dropped, Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table
from tests.contents import hashes
from tests.tasks.prepare.split.staged import SETTINGS, staged
from tests.tasks.rows.made import document, question, rows


def test_training_sees_documents_without_their_tags_so_that_other_tags_change_nothing(tmp_path: Path) -> None:
    asked = [question(str(n), f"question {n}?", group=f"g{n}") for n in range(60)]
    written = [
        hashes(staged(tmp_path / name, rows(*asked, documents=[document("d"), document("e", tags=tags)])))
        for name, tags in (("open", ()), ("closed", ("staff",)))
    ]
    assert written[0] == written[1]


def test_documents_with_tags_can_be_left_out_with_what_rests_on_them(tmp_path: Path) -> None:
    asked = [question(str(n), f"question {n}?", group=f"g{n}", evidence=("d",)) for n in range(60)]
    resting = [replace(row, evidence=("e",) if n % 3 else ("d", "e")) for n, row in enumerate(asked[:30])]
    found = rows(*resting, *asked[30:], documents=[document("d"), document("e", tags=("board", "staff"))])
    folder = staged(tmp_path, found, SETTINGS.model_copy(update={"train_on_tagged": False}))
    kept = [row.id for name in SPLITS for row in read_table(folder / name / "examples.parquet", Example)]
    assert sorted(kept, key=int) == [str(n) for n in range(30, 60)]
    assert [row.id for row in read_table(folder / "documents.parquet", Document)] == ["d"]
    unused = read_table(folder / "unused.parquet", Dropped)
    assert {(row.kind, row.reason, row.detail) for row in unused} == {("example", "tagged", "rests on e")}
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["tagged"] == {"documents": 1, "rows": 30}
    again = staged(tmp_path / "again", found, before=folder)
    assert len(read_table(again / "documents.parquet", Document)) == 2


def test_documents_of_before_do_not_go_on_in_training_where_they_are_closed_by_now(tmp_path: Path) -> None:
    asked = [question(str(n), f"question {n}?", group=f"g{n}") for n in range(60)]
    some = [document(f"d{n}", f"Text {n}.") for n in range(20)]
    before = staged(tmp_path / "before", rows(*asked, documents=some))
    apart = SETTINGS.model_copy(update={"train_on_tagged": False})

    def seen(name: str, *documents: Document) -> set[str]:
        made = staged(tmp_path / name, rows(*asked, documents=documents), apart, before=before)
        return {row.text for row in read_table(made / "documents.parquet", Document)}

    new = document("new", "New.")
    assert seen("grown", *some, new, replace(new, id="other", tags=("staff",))) == {row.text for row in some}
    closed = replace(some[0], tags=("staff",))
    assert seen("closed", closed, *some[1:]) == {row.text for row in some[1:]}
    # What it said before has another id where ids follow from texts.
    changed = replace(closed, id="d0 again", text="Text 0, changed.")
    assert seen("changed", changed, *some[1:]) == {row.text for row in some[1:]}
