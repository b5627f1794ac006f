"""Protects trying a file alone: it says what a run would say, and other sources neither help nor hinder."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.rehearsal import Rehearsal, rehearse
from tasks.prepare.rehearsal.beside import Beside, alone
from tasks.prepare.validate.profile import profile
from tasks.prepare.validate.tables import InMemory
from tasks.rows import cutting
from tasks.rows.records import Rows
from tests.tasks.prepare.tracing.chain import FAQ, SETTINGS, asked, lines, run_chain, write_sources
from tests.tasks.rows.made import document, question
from tests.tasks.rows.made import rows as rows_of

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def trial(
    path: Path, *rows: Any, beside: Beside | None = None, held_out: str = "", **sections: Any
) -> Rehearsal:
    """What comes of a file with these rows; `beside` does not name the file yet."""
    if rows:
        path.write_text(lines(*rows))
    settings = {"clean": SETTINGS.clean, "validate": SETTINGS.validate_, "gate": SETTINGS.gate} | {
        name: getattr(SETTINGS, {"validate": "validate_"}.get(name, name)).model_copy(update=changed)
        for name, changed in sections.items()
    }
    source = FileSource(kind="file", path=path, held_out=held_out)
    own = path.as_posix()
    with TemporaryDirectory() as work:
        return rehearse(
            source,
            replace(beside, own=own) if beside else alone(own),
            parallel=SETTINGS.parallel,
            watched=path.parent,
            work=Path(work),
            **settings,
        )


def others(rows: Rows, **told: Any) -> Beside:
    """The rows that other sources had in the last run."""
    return Beside(own="", others=InMemory(rows), known=True, **told)


def reasons(found: Rehearsal) -> list[tuple[str, str, str]]:
    return sorted(lot for lot, lost in found.lost.items() for _ in range(lost.count))


def test_it_says_what_a_run_says_of_the_same_file(tmp_path: Path) -> None:
    from tasks.prepare.tracing.stored import read_stored

    write_sources(tmp_path)
    run_chain(tmp_path, [FileSource(kind="file", path=tmp_path / FAQ)], until="validate")
    ran = sorted((row.stage, row.kind, row.reason) for row in read_stored(tmp_path / "data").lost_rows())
    assert reasons(trial(tmp_path / FAQ, beside=others(rows_of(), counts={}))) == ran


def test_many_shards_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sources(tmp_path)
    held = [asked(n, f"What about thing number {n} of the shelf?") for n in range(60)]
    beside = others(rows_of(*(question(f"o{n}", f"Why is number {n}?") for n in range(70))), counts={})
    accepted = profile(beside.others, made_with="")
    with (tmp_path / FAQ).open("a") as file:
        file.write(lines(*held))
    one = trial(tmp_path / FAQ, beside=replace(beside, accepted=accepted))
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 7)
    assert trial(tmp_path / FAQ, beside=replace(beside, accepted=accepted)) == one
    assert len(one.lost) > 5


def test_the_gate_passes_or_names_the_threshold(tmp_path: Path) -> None:
    good = [asked(n, f"Why is number {n}?") for n in range(4)]
    assert trial(tmp_path / "a.jsonl", *good).passed
    found = trial(tmp_path / "a.jsonl", *good, asked("x", "Who?", "x"), gate={"max_dropped": 0.1})
    assert not found.passed
    (failed,) = (check for check in found.checks if not check.passed)
    assert failed.told() == "share of examples dropped: 0.2, allowed is 0.1 (gate.max_dropped in params.yaml)"


def test_evidence_is_looked_for_among_the_documents_of_other_sources(tmp_path: Path) -> None:
    rows = [
        asked("there", "Why is it?", evidence="py:loans"),
        asked("missing", "Who is it?", evidence="py:gone"),
    ]
    alone = trial(tmp_path / "a.jsonl", *rows)
    assert (reasons(alone), alone.unknown) == ([], 2)
    text = document("d1", "Because.", uri="py:loans@1.0", title="Loans", sha256="")
    beside = others(
        rows_of(documents=[text, document("d2", "Other.", title="Other")]), counts={"document": 2}
    )
    found = trial(tmp_path / "a.jsonl", *rows, beside=beside)
    assert (reasons(found), found.unknown) == ([("clean", "example", "missing_evidence")], 0)
    assert found.rows == {"example": 2, "preference": 0, "document": 0}
    assert all(
        finding.table == "example" for finding in found.unmet
    )  # nothing is said of other sources' rows


def test_rows_of_other_sources_count_towards_how_many_there_must_be(tmp_path: Path) -> None:
    rows = [asked(n, f"Why is number {n}?") for n in range(4)]
    few = {"validate": {"min_examples": 50, "min_documents": 9}}
    alone = trial(tmp_path / "a.jsonl", *rows, **few)
    assert [finding.name for finding in alone.unmet] == ["enough"]  # and nothing of documents: it has none
    assert not alone.passed
    beside = others(rows_of(), counts={"example": 46})
    assert trial(tmp_path / "a.jsonl", *rows, beside=beside, **few).passed


def test_documents_that_another_source_has_too_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    other = document("d1", "Text.", title="T", source="other")
    beside = others(rows_of(documents=[other]), counts={"document": 1})
    found = trial(path, {"id": "mine", "title": "T", "text": "Text."}, beside=beside)
    assert (reasons(found), found.rows["document"]) == ([], 1)
    assert found.passed


def test_a_test_set_that_contradicts_itself_is_refused_as_a_run_refuses_it(tmp_path: Path) -> None:
    rows = [asked(1, "Why is it?", "This."), asked(2, "Why is it?", "That.")]
    with pytest.raises(SourceError, match="stand there with two answers"):
        trial(tmp_path / "a.jsonl", *rows, held_out="own questions")


def test_the_rows_of_all_sources_are_compared_with_those_accepted_last(tmp_path: Path) -> None:
    before = rows_of(*(question(f"q{n}", f"Why is number {n}?") for n in range(100)))
    accepted = profile(InMemory(before), made_with="abc")
    beside = others(before, counts={"example": 100}, accepted=accepted, made_with="abc")
    few = trial(tmp_path / "a.jsonl", asked(1, "Why is it?"), beside=beside)
    assert few.passed
    assert few.compared.startswith("Compared with the rows that the gate let pass last.")
    many = [asked(n, f"Why is number {n}?") for n in range(100)]
    found = trial(tmp_path / "b.jsonl", *many, beside=beside)
    assert not found.passed
    assert "source_drift" in [finding.name for finding in found.unmet]
    assert trial(tmp_path / "b.jsonl").passed  # where nothing is known there is nothing to compare
