"""Protects the table: every collected row of every source has one outcome, and a lost one is noticed."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.tracing.balance import OUTCOMES, Balance, Line, balance, total
from tasks.prepare.tracing.stored import SPLITS, Name, Stored, read_stored
from tasks.rows.records import Dropped, RowKind
from tasks.rows.reports import outcomes, read_report
from tests.tasks.prepare.tracing.chain import FAQ, OWN, PAIRS, RATED, run_chain, sources, write_sources

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


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

    assert faults(replace(stored, raw=[*stored.raw][1:])) == (
        f"{faq}: 38 examples were read, and clean accounts for 39",
    )
    train = {**stored.splits, "train": [*stored.splits["train"]][1:]}
    (said,) = faults(replace(stored, splits=train))
    assert said == f"{faq}: 32 examples passed validate, and split accounts for 31"


FATES = ("collect", "clean", "validate", "split", *SPLITS)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "y"]), st.sampled_from(["example", "preference"]), st.sampled_from(FATES)
    ),
    min_size=1,
)


def stored_rows(fates: list[tuple[str, RowKind, str]]) -> Stored:
    """What the stages keep where each row, of a source and a kind, ends in a stage or in a split."""
    names = [(Name(kind, str(n), source), fate) for n, (source, kind, fate) in enumerate(fates)]

    def there(*excluded: str) -> tuple[Name, ...]:
        return tuple(name for name, fate in names if fate not in excluded)

    return Stored(
        raw=there("collect"),
        clean=there("collect", "clean"),
        splits={split: tuple(name for name, fate in names if fate == split) for split in SPLITS},
        lost={
            stage: tuple(
                Dropped(id=name.id, kind=name.kind, source=name.source, stage=stage, reason="r", detail="")
                for name, fate in names
                if fate == stage
            )
            for stage in ("collect", "clean", "validate", "split")
        },
    )


@given(fates=ROWS, chosen=st.randoms(use_true_random=False))
def test_whatever_becomes_of_rows_adds_up_and_one_that_is_lost_is_noticed(
    fates: list[tuple[str, RowKind, str]], chosen: random.Random
) -> None:
    stored = stored_rows(fates)
    whole = balance(stored, {})
    assert whole.faults == ()
    assert sum(each.collected for each in whole.lines) == len(fates)
    assert all(each.collected == each.outcomes.total() for each in whole.lines)
    splits = stored.splits or {}
    for split, names in splits.items():
        if names:
            gone = chosen.choice(names)
            left = [name for name in names if name != gone]
            assert balance(replace(stored, splits={**splits, split: tuple(left)}), {}).faults != ()
    if stored.raw:
        gone = chosen.choice(stored.raw)
        left = [name for name in stored.raw if name != gone]
        assert balance(replace(stored, raw=tuple(left)), {}).faults != ()


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
