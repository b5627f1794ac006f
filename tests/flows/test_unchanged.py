"""Protects the short way of a run: taken only where nothing has changed at all, and then without Prefect."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import running
from flows.errors import ReleaseError
from flows.graph import load_graph
from flows.history import CURRENT, changing, choose, current
from flows.release import BUNDLE, identity
from flows.running import Wish, publish, run
from flows.unchanged import unchanged
from tests.flows.bundles import made, released


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def is_unchanged(toy: Path, *, only: tuple[str, ...] = (), publishes: bool = False) -> bool:
    graph = load_graph(toy)
    names = only or graph.names
    return unchanged(toy, ((graph, names),), publishes=publishes, rows=names)


def test_a_run_without_changes_says_so_of_each_stage_and_starts_no_prefect(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(running, "prefect_api")
    assert run(finished, Wish(publishes=False)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" in ")[0] for line in lines[:4]] == [
        f"{name}: cached" for name in ("clean", "split", "rlhf", "report")
    ]
    assert lines[4] == "Nothing has changed since the last run."


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


CHANGES: dict[str, Callable[[Path], None]] = {
    "a source": lambda toy: edit(toy / "start.txt", "start", "begin"),
    "code": lambda toy: edit(toy / "toy.py", "has read", "has seen"),
    "a setting": lambda toy: edit(toy / "params.yaml", "salt: threeply", "salt: other"),
    "a command": lambda toy: edit(toy / "dvc.yaml", "report rlhf.txt", "report  rlhf.txt"),
    "an output": lambda toy: edit(toy / "split.txt", "start", "other"),
    "an output that is gone": lambda toy: (toy / "report.txt").unlink(),
    "a new stage": lambda toy: edit(
        toy / "dvc.yaml", "stages:\n", "stages:\n  more:\n    cmd: python -c pass\n    deps: [toy.py]\n"
    ),
    "a record that is gone": lambda toy: (toy / "dvc.lock").unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_is_a_change(what: str, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    CHANGES[what](finished)
    assert not is_unchanged(finished)
    assert capsys.readouterr().out == ""


def test_a_change_of_a_stage_that_is_not_wanted_is_none(finished: Path) -> None:
    (finished / "report.txt").unlink()
    assert is_unchanged(finished, only=("clean", "split", "rlhf"))


def test_what_is_served_belongs_to_it(finished: Path) -> None:
    with pytest.raises(ReleaseError, match="is no bundle"):
        is_unchanged(finished, publishes=True)
    (finished / BUNDLE).mkdir(parents=True)
    (finished / BUNDLE / "manifest.json").write_text("{}", encoding="utf-8")
    assert not is_unchanged(finished, publishes=True)
    name = identity(finished / BUNDLE)
    (finished / CURRENT).parent.mkdir(parents=True)
    (finished / CURRENT).with_name(name).mkdir()
    (finished / CURRENT).symlink_to(name)
    assert is_unchanged(finished, publishes=True)
    (finished / BUNDLE / "manifest.json").write_text("[]", encoding="utf-8")
    assert not is_unchanged(finished, publishes=True)


def test_what_was_gone_back_on_is_not_put_forward_again_and_a_run_says_so(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(running, "prefect_api")
    good, bad = released(finished, "good"), released(finished, "bad")
    with changing(finished):
        choose(finished, good)
    assert run(finished, Wish()) == 0
    assert current(finished) == good
    lines = capsys.readouterr().out.splitlines()
    assert lines[5] == "Nothing has changed since the last run."
    assert lines[6].startswith(f"{bad} is not released again, for it was withdrawn (gone back to {good})")
    with pytest.raises(ReleaseError, match=f"{bad} is not released again"):
        publish(finished)
    made(finished, "better")
    assert not is_unchanged(finished, publishes=True)


def test_a_server_of_the_users_gets_a_record_of_every_run(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert not is_unchanged(finished)


def test_while_dvc_is_at_work_here_nobody_can_tell(finished: Path) -> None:
    holding = "from dvc.repo import Repo\nwith Repo().lock:\n    print(flush=True)\n    input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding], cwd=finished, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert not is_unchanged(finished)
        other.communicate(b"\n")
    assert is_unchanged(finished)
