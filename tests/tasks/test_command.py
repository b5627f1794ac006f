"""Protects the command that runs a stage: outputs whole or absent, and every mishap told in a sentence.

The stages here are small ones of this file, run by the real command, some of them in a process of their own.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.command import main, parser, run_stage
from tasks.errors import OutputError
from tasks.machine.disk import plain_disk_errors
from tasks.stages import STAGES, Stage
from tests.conftest import ROOT
from tests.interpreter import python

PARAMS = ["--params", str(ROOT / "params.yaml")]
SLOWLY = ["run.py", *PARAMS, "slow", "source", "--file", "file", "--folder", "folder"]
# A project with one more stage: it writes half of its outputs, says so, and waits until `go` is there.
SLOW = '''
import time
from pathlib import Path

def slow(source: Path, *, file: Path, folder: Path, work: Path) -> None:
    """Write two outputs slowly."""
    print("resumed" if (work / "state").exists() else "new", flush=True)
    (work / "state").touch()
    folder.mkdir()
    (folder / "half").touch()
    file.write_text("half")
    print("half", flush=True)
    while not Path("go").exists():
        time.sleep(0.02)
    file.write_text("whole")
'''
RUN = """
import sys
from tasks.command import main
from tasks.stages import STAGES

STAGES["slow"] = "slow"
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with an input and an old output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "source").write_text("input")
    (tmp_path / "file").write_text("old")
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "run.py").write_text(RUN)
    return tmp_path


def start(project: Path) -> subprocess.Popen[str]:
    """The slow stage, started and half done."""
    process = subprocess.Popen(
        [sys.executable, *SLOWLY],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{project}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "half":
        assert process.poll() is None
    return process


def outputs(project: Path) -> dict[str, str]:
    """What a reader finds at the places of the outputs."""
    return {name: (project / name).read_text() for name in ("file",)} | {
        "folder": str((project / "folder").is_dir())
    }


def partials(project: Path) -> list[str]:
    return [path.name for path in project.iterdir() if ".partial-" in path.name]


def test_a_killed_stage_leaves_the_old_outputs_and_the_next_run_clears_up_and_resumes(project: Path) -> None:
    killed = start(project)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert outputs(project) == {"file": "old", "folder": "False"}
    assert len(partials(project)) == 2
    (project / "go").touch()
    second = python(*SLOWLY, place=project, modules=(ROOT, project))
    assert second.stdout.splitlines() == ["resumed", "half"]
    assert outputs(project) == {"file": "whole", "folder": "True"}
    assert partials(project) == []
    assert not (project / ".threeply" / "work" / "slow").exists()


def test_an_interrupted_stage_says_how_to_go_on(project: Path) -> None:
    interrupted = start(project)
    interrupted.send_signal(signal.SIGINT)
    _, said = interrupted.communicate()
    assert interrupted.returncode == 130
    assert said == "slow was interrupted; run it again and it goes on\n"
    assert outputs(project) == {"file": "old", "folder": "False"}
    assert partials(project) == []


def small(function: Callable[..., None]) -> Stage:
    return Stage("small", function, (), False, ("out",), {}, resumable=False, values={})


def run_small(function: Callable[..., None]) -> None:
    run_stage(small(function), argparse.Namespace(out=Path("out")), {})


def to_a_full_disk(*, out: Path) -> None:
    with Path("/dev/full").open("wb") as file:
        file.write(b"x" * 2**20)


def as_safetensors_tells_it(*, out: Path) -> None:
    raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_a_database_that_cannot_be_written_is_told() -> None:
    message = r"disk I/O error.*is full \(\d+ MiB free here\) or failing"
    with pytest.raises(OutputError, match=message), plain_disk_errors():
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("function", [to_a_full_disk, as_safetensors_tells_it])
def test_a_full_disk_is_told(project: Path, function: Callable[..., None]) -> None:
    with pytest.raises(
        OutputError, match=r"the disk is full \(\d+ MiB free here\).*free some space and run again"
    ):
        run_small(function)
    assert not list(project.glob("*out*"))


def test_a_file_in_the_way_of_a_folder_is_told(project: Path) -> None:
    def forbidden(*, out: Path) -> None:
        raise PermissionError(13, "Permission denied", str(out))

    with pytest.raises(OutputError, match=r"^out cannot be used: Permission denied"):
        run_small(forbidden)


def test_other_errors_pass_unchanged_and_leave_nothing(project: Path) -> None:
    def broken(*, out: Path) -> None:
        out.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_small(broken)
    assert not list(project.glob("*out*"))


def test_a_run_is_timed(project: Path) -> None:
    def fine(*, out: Path) -> None:
        out.write_text("whole")

    run_small(fine)
    timings = (project / "data" / "reports" / "stages.json").read_text()
    assert '"small"' in timings
    assert '"peak_mib"' in timings


GATE = ["gate", "c", "l", "v", "p", "--accepted", "a", "--verdict", "g"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([*PARAMS, *GATE], 1, "error: c cannot be read"),
        (GATE, 2, "error: params.yaml is not there; run the command in the project's folder"),
        (["--params", "wrong.yaml", *GATE], 2, "gate.max_droped: unknown key; did you mean max_dropped?"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (project / "wrong.yaml").write_text(text.replace("max_dropped:", "max_droped:"), encoding="utf-8")
    assert main(words) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["colect"], 2, "error: no stage is called 'colect'; the stages are base, collect"),
        ([], 2, "usage: python -m tasks"),
        (["--help"], 0, "  validate\n"),
        (["gate", "--help"], 0, "usage: python -m tasks gate"),
        (["gate", "c"], 2, "the following arguments are required"),
    ],
)
def test_the_command_line_explains_itself(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*PARAMS, *words])
    assert caught.value.code == code
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


def test_a_settings_fault_ends_the_process_without_a_traceback(project: Path) -> None:
    done = python("-m", "tasks", "--params", "none.yaml", "clean", place=project, ends=2)
    assert done.stderr.startswith("error: none.yaml is not there")
    assert len(done.stderr.splitlines()) == 1


def test_inside_a_test_the_process_stays_as_it_is(project: Path) -> None:
    asked: list[Any] = []
    before = dict(os.environ)
    assert main([*PARAMS, *GATE], prepare=asked.append) == 1
    assert dict(os.environ) == before
    assert asked[0]["HF_HUB_OFFLINE"] == "1"
    assert asked[0]["OMP_NUM_THREADS"].isdigit()


def test_options_are_spelled_with_dashes_and_inputs_may_be_many() -> None:
    def many(*sources: Path, two_words: Path) -> None: ...

    stage = Stage("many", many, ("sources",), True, ("two_words",), {}, resumable=False, values={})
    paths = parser(stage).parse_args(["a", "b", "--two-words", "c"])
    assert (paths.sources, paths.two_words) == ([Path("a"), Path("b")], Path("c"))
    assert "many" not in STAGES
