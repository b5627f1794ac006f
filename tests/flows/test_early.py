"""Protects early releases: each has what it needs, is no second copy, and gives way to nothing better."""

from pathlib import Path

from flows.early import EARLY, SFT, stands_above
from flows.graph import load_graph
from flows.history import CURRENT, RELEASES
from flows.release import identity, making
from tasks.rows.skipped import leave_note
from tests.conftest import ROOT
from tests.flows.handed import CALIBRATED, INDEXED, STAGES, filled, released


def test_what_an_early_release_needs_is_made_before_it_in_the_real_chain() -> None:
    names = load_graph(ROOT).names
    for early, needed in ((INDEXED, ("base", "gate", "knowledge")), (CALIBRATED, ("sft", "calibrate"))):
        assert max(names.index(name) for name in needed) == names.index(early.after)


def test_a_partial_bundle_is_released_without_a_second_copy(project: Path) -> None:
    filled(project, "base", "rerank", "split", "knowledge")
    name = released(project, INDEXED)
    assert {path.name for path in (project / RELEASES).iterdir()} == {name, "current", "history.json"}
    assert identity(project / CURRENT) == name
    with making(project) as again:
        INDEXED.fill(project, again)
        assert identity(again) == name  # nothing to release where nothing has changed


def test_nothing_better_gives_way(project: Path) -> None:
    filled(project, *STAGES)
    assert stands_above(project, INDEXED) == ""
    released(project, INDEXED)
    assert stands_above(project, INDEXED) == stands_above(project, CALIBRATED) == ""
    name = released(project, CALIBRATED)
    assert stands_above(project, INDEXED).startswith(f"{name} has sft, too: it serves on")
    assert stands_above(project, CALIBRATED) == ""
    name = released(project, None)
    for early in EARLY:
        assert stands_above(project, early).startswith(f"{name} is complete: it serves on")
    (project / CURRENT / "manifest.json").write_text("{", encoding="utf-8")
    assert stands_above(project, INDEXED) == ""  # no server could read it either


def test_a_stage_that_was_skipped_has_no_layer_to_release(project: Path) -> None:
    leave_note(project / SFT, "sft", "no rows")
    assert INDEXED.ready(project)
    assert not CALIBRATED.ready(project)
