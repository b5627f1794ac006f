"""Protects what is read from dvc.yaml and from DVC's own words: order, staleness, how a stage ended."""

from pathlib import Path

import pytest

from flows import graph
from flows.errors import GraphError


def test_stages_come_after_what_they_need(toy: Path) -> None:
    found = graph.load_graph(toy)
    assert found.names == ("clean", "split", "rlhf", "report")
    assert found.needs("rlhf") == ("split",)
    assert found.until(["split"]) == ("clean", "split")


def test_the_stages_of_another_file_are_a_graph_of_their_own(toy: Path) -> None:
    (toy / "lab").mkdir()
    (toy / "lab/dvc.yaml").write_text(
        "stages:\n  try:\n    wdir: ..\n    matrix: {method: [a, b]}\n"
        "    cmd: python -c pass\n    deps: [split.txt]\n",
        encoding="utf-8",
    )
    assert graph.load_graph(toy).names == ("clean", "split", "rlhf", "report")
    lab = graph.load_graph(toy, graph.LAB)
    assert lab.names == ("try@a", "try@b")
    assert graph.changes(toy, "try@a", graph.LAB) == (graph.NEVER,)
    assert set(graph.stale(toy, lab)) == {"try@a", "try@b"}
    assert graph.repro_command("try@a", graph.LAB)[-1] == "lab/dvc.yaml:try@a"
    with pytest.raises(GraphError, match=r"lab/dvc\.yaml has no stage 'c'; its stages are try@a"):
        lab.needs("c")


def test_an_unknown_stage_is_named_with_those_that_are_known(toy: Path) -> None:
    with pytest.raises(GraphError, match="no stage 'splitt'; its stages are clean, split"):
        graph.load_graph(toy).needs("splitt")


def test_a_stage_that_never_ran_has_changes_and_a_folder_without_stages_is_refused(
    toy: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = graph.load_graph(toy)
    assert graph.changes(toy, "clean") == (graph.NEVER,)
    assert graph.stale(toy, found) == dict.fromkeys(found.names, (graph.NEVER,))
    assert graph.stale(toy, found, ["split"]) == {"split": (graph.NEVER,)}
    with pytest.raises(GraphError, match="is not there"):
        graph.load_graph(tmp_path_factory.mktemp("empty"))


def test_two_stages_that_write_one_path_are_refused_in_a_sentence(toy: Path) -> None:
    text = (toy / "dvc.yaml").read_text(encoding="utf-8")
    (toy / "dvc.yaml").write_text(text.replace("outs: [report.txt]", "outs: [split.txt]"), encoding="utf-8")
    with pytest.raises(GraphError, match=r"split\.txt"):
        graph.load_graph(toy)


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("Stage 'sft' didn't change, skipping", "unchanged"),
        ("Stage 'sft' is cached - skipping run, checking out outputs", "restored"),
        ("Updating lock file 'dvc.lock'", "ran"),
    ],
)
def test_dvc_says_how_a_stage_ended(line: str, how: str) -> None:
    assert graph.how_it_ended(["Running stage 'sft':", line]) == how


def test_the_exit_code_is_the_stages_own() -> None:
    lines = ["ERROR: failed to reproduce 'gate': failed to run: python -m tasks gate, exited with 3"]
    assert graph.exit_code(lines) == 3
    assert graph.exit_code(["ERROR: failed: exited with -9"]) == -9
    assert graph.exit_code(["nothing of the kind"]) is None


def test_a_busy_lock_is_told_from_other_failures() -> None:
    assert graph.lock_busy(["ERROR: 'data' is busy, it is being blocked by:"])
    assert not graph.lock_busy(["ERROR: failed to reproduce 'sft': exited with 1"])
