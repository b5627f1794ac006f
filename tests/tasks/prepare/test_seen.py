"""Protects training from new documents: it sees those of before until the rows change, or too much has."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.prepare.seen import Drift, drift
from tasks.prepare.settings import KnowledgeSettings
from tasks.rows.records import Document, Rows
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table
from tests.contents import hashes
from tests.tasks.prepare.split.staged import staged
from tests.tasks.rows.made import document, question, rows

ASKED = [question(str(n), f"question {n}?", group=f"g{n}") for n in range(40)]
SEEN = [document(name, f"text of {name}") for name in "abcdefgh"]


def test_a_document_that_is_new_gone_or_worded_otherwise_has_drifted() -> None:
    now = [*SEEN[2:], replace(SEEN[1], text="other"), document("x"), document("y"), document("z")]
    found = drift(SEEN, now)
    assert found == Drift(added=3, changed=1, removed=1, same=6)
    assert found.share == 5 / 11
    assert found.told == "3 new, 1 changed, 1 removed"
    assert drift(SEEN, SEEN[::-1]).share == drift([], []).share == 0.0
    assert drift(SEEN, [replace(SEEN[0], title="other"), *SEEN[1:]]).changed == 1


def run(folder: Path, found: Rows, *, before: Path | None, max_drift: float = 0.3) -> Path:
    """The splits of `found`, in a new folder below `folder`."""
    knowledge = KnowledgeSettings(max_drift=max_drift, max_lost=0.0, filters=())
    return staged(folder / str(len(list(folder.iterdir()))), found, before=before, knowledge=knowledge)


MORE = [*SEEN, document("new", "a new page")]


def test_a_new_document_leaves_what_training_depends_on_byte_for_byte(tmp_path: Path) -> None:
    first = run(tmp_path, rows(*ASKED, documents=SEEN), before=None)
    second = run(tmp_path, rows(*ASKED, documents=MORE), before=first)
    assert hashes(second) == hashes(first)
    report = read_report(second.with_name("report.json"))
    assert report.figures["documents_of_before"] is True
    assert unbalanced(report.rows) == []
    third = run(tmp_path, rows(*ASKED, documents=SEEN[:-1]), before=second)
    assert hashes(third) == hashes(first)


@pytest.mark.parametrize(
    ("found", "limits"),
    [
        (rows(*ASKED, documents=MORE), {"max_drift": 0.05}),
        (rows(*ASKED, documents=MORE), {"max_drift": 0.0}),
        (rows(*ASKED[:-1], documents=MORE), {}),
        (rows(*ASKED[:-1], replace(ASKED[-1], task="other"), documents=MORE), {}),
    ],
)
def test_todays_are_taken_where_too_many_differ_or_a_row_does(
    tmp_path: Path, found: Rows, limits: dict[str, float]
) -> None:
    first = run(tmp_path, rows(*ASKED, documents=SEEN), before=None)
    second = run(tmp_path, found, before=first, **limits)
    assert [row.id for row in read_table(second / "documents.parquet", Document)] == [d.id for d in MORE]
    assert read_report(second.with_name("report.json")).figures["documents_of_before"] is False


def test_splits_that_are_not_whole_are_none_of_before(tmp_path: Path) -> None:
    first = run(tmp_path, rows(*ASKED, documents=SEEN), before=None)
    (first / "documents.parquet").unlink()
    second = run(tmp_path, rows(*ASKED, documents=MORE), before=first)
    assert len(read_table(second / "documents.parquet", Document)) == len(MORE)
