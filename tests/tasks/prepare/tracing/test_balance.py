"""Protects the table: every collected row of every source has one outcome, and a lost one is noticed."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.tracing.balance import OUTCOMES, Balance, Line, balance, total
from tasks.prepare.tracing.stored import Stored, read_stored
from tasks.rows.reports import outcomes, read_report
from tests.tasks.prepare.tracing.chain import FAQ, OWN, PAIRS, RATED, run_chain, sources, write_sources


def traced(root: Path) -> Balance:
    return balance(read_stored(root / "data"), {(root / RATED).as_posix(): {"only_up": 1}})


def line(found: Balance, source: str, kind: str) -> Line:
    (mine,) = (each for each in found.lines if (each.source, each.kind) == (source, kind))
    return mine


def test_every_row_of_a_chain_is_accounted_for(ran: Path) -> None:
    found = traced(ran)
    assert found.faults == ()
    for each in found.lines:
        assert each.collected == each.outcomes.total(), each
        assert set(each.outcomes) <= set(OUTCOMES)
    faq = line(found, (ran / FAQ).as_posix(), "example")
    assert faq.collected == 41
    assert {name: faq.outcomes[name] for name in ("dropped", "quarantined", "unused")} == {
        "dropped": 8,
        "quarantined": 1,
        "unused": 1,
    }
    assert faq.reasons == {
        ("clean", "conflict"): 2,
        ("clean", "duplicate"): 1,
        ("clean", "duplicate_id"): 1,
        ("clean", "missing_evidence"): 1,
        ("clean", "short"): 1,
        ("collect", "broken_json"): 1,
        ("collect", "wrong_shape"): 1,
        ("split", "the same as a held-out question"): 1,
        ("validate", "answer_length"): 1,
    }
    assert line(found, (ran / OWN).as_posix(), "example").outcomes["test"] == 1
    assert line(found, (ran / PAIRS).as_posix(), "preference").reasons == {("clean", "equal_answers"): 1}
    assert line(found, (ran / RATED).as_posix(), "preference").reasons == {("collect", "only_up"): 1}
    manual = line(found, "markdown", "document")
    assert (manual.collected, manual.outcomes["searched"], manual.outcomes["dropped"]) == (3, 1, 2)


def test_the_sums_are_those_of_the_reports(ran: Path) -> None:
    found = traced(ran)
    reports = {name: read_report(ran / f"data/reports/{name}.json") for name in ("collect", "split")}
    for kind in ("example", "preference", "document"):
        mine = total(found.lines, kind)
        assert mine.collected == outcomes(reports["collect"].rows)[kind]["in"]
        assert mine.outcomes["quarantined"] == outcomes(reports["split"].rows)[kind]["quarantined"]
    placed = reports["split"].figures["splits"]
    assert {name: total(found.lines, "example").outcomes[name] for name in placed} == {
        name: part["examples"] for name, part in placed.items()
    }


@pytest.mark.parametrize("until", ["collect", "clean", "validate"])
def test_rows_that_no_later_stage_has_taken_are_waiting(tmp_path: Path, until: str) -> None:
    write_sources(tmp_path)
    run_chain(tmp_path, sources(tmp_path), until=until)
    found = traced(tmp_path)
    assert found.faults == ()
    assert all(each.collected == each.outcomes.total() for each in found.lines)
    assert total(found.lines, "example").outcomes["waiting"] > 30
    assert total(found.lines, "document").outcomes["searched"] == (until == "validate")


def test_stages_of_different_runs_do_not_add_up(ran: Path) -> None:
    stored = read_stored(ran / "data")
    assert stored.raw is not None
    assert stored.splits is not None
    faq = (ran / FAQ).as_posix()

    def faults(changed: Stored) -> tuple[str, ...]:
        return balance(changed, {}).faults

    assert faults(replace(stored, raw=stored.raw[1:])) == (
        f"{faq}: 38 examples were read, and clean accounts for 39",
    )
    train = {**stored.splits, "train": stored.splits["train"][1:]}
    (said,) = faults(replace(stored, splits=train))
    assert said == f"{faq}: 32 examples passed validate, and split accounts for 31"


def test_before_anything_is_collected_the_next_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="collect them: threeply run --until split"):
        read_stored(tmp_path / "data")


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    write_sources(tmp_path)
    run_chain(tmp_path, sources(tmp_path), until="collect")
    path = tmp_path / "data/raw/rows/examples.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match=r"examples\.parquet cannot be read as Parquet"):
        read_stored(tmp_path / "data")
