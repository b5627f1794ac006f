"""Protects runs without RLHF: what is skipped says why and counts its rows, and later stages follow."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.rows.records import Example, Preference
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.skipped import NOTE, skip_reason
from tasks.rows.tables import write_table
from tasks.settings import Settings, load_settings
from tasks.training.reward import reward
from tasks.training.rlhf import rlhf
from tasks.training.sample import sample
from tests.conftest import ROOT
from tests.tasks.rows.made import pair

NOTHING = "there are no preference pairs to learn from"


@pytest.fixture
def values() -> Settings:
    return load_settings(ROOT / "params.yaml")


def leave_out(folder: Path, values: Settings, preferences: list[Preference]) -> tuple[Report, Report]:
    """Both stages over `preferences`; everything that they would need to train is missing."""
    for split in ("train", "validation", "test"):
        write_table(folder / "splits" / split / "preferences.parquet", Preference, preferences)
        write_table(folder / "splits" / split / "examples.parquet", Example, [])
    missing = folder / "missing"
    sections = {
        "run": values.run,
        "retrieval": values.retrieval,
        "prompt": values.prompt,
        "generation": values.generation,
        "work": folder / "work",
    }
    sample(
        folder / "splits",
        *[missing] * 4,
        samples=folder / "samples",
        report=folder / "sample.json",
        settings=values.sample.model_copy(update={"enabled": False}),
        **{name: section for name, section in sections.items() if name != "work"},
    )
    reward(
        folder / "splits",
        *[missing] * 4,
        folder / "samples",
        adapter=folder / "reward",
        curve=folder / "reward.csv",
        report=folder / "reward.json",
        settings=values.reward,
        **sections,
    )
    rlhf(
        folder / "splits",
        *[missing] * 4,
        folder / "samples",
        folder / "reward",
        missing,
        adapter=folder / "rlhf",
        curve=folder / "rlhf.csv",
        report=folder / "rlhf.json",
        settings=values.rlhf,
        **sections,
    )
    return read_report(folder / "reward.json"), read_report(folder / "rlhf.json")


def test_without_preferences_there_is_no_reward_model_and_no_rlhf(tmp_path: Path, values: Settings) -> None:
    reports = leave_out(tmp_path, values, [])
    assert reports[0].figures == {"skipped": NOTHING}
    assert skip_reason(tmp_path / "samples") == "sample.enabled is false in params.yaml"
    assert skip_reason(tmp_path / "reward") == NOTHING
    assert skip_reason(tmp_path / "rlhf").startswith("no rule checks the answers of these tasks")


def test_a_reward_model_that_nobody_wants_leaves_its_pairs_unused(tmp_path: Path, values: Settings) -> None:
    off = values.model_copy(update={"reward": values.reward.model_copy(update={"enabled": False})})
    reports = leave_out(tmp_path, off, [pair("p1"), pair("p2")])
    assert skip_reason(tmp_path / "reward") == "reward.enabled is false in params.yaml"
    assert not any(unbalanced(report.rows) for report in reports)
    assert [(row.outcome, row.count) for row in reports[0].rows] == [("in", 2), ("unused", 2)]


def test_a_trained_adapter_is_no_omission_and_a_damaged_note_is_said(tmp_path: Path) -> None:
    assert skip_reason(tmp_path) == ""
    (tmp_path / NOTE).write_text("{}")
    with pytest.raises(SourceError, match=r"skipped\.json cannot be read.*run dvc repro"):
        skip_reason(tmp_path)
