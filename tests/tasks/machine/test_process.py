"""Protects how a stage's process begins and ends: under fixed variables, and never longer than its parent."""

import ctypes
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import psutil
import pytest

from deploy.adapters.packing import can_pack
from tasks.machine.process import QUIET, cores, environment, release_memory
from tests.conftest import ROOT
from tests.interpreter import python
from tests.waiting import wait_until

# A module that begins as `python -m tasks` does, and then shows what it runs under.
BEGIN = """
import os, sys
from tasks.machine.process import end_with_parent, environment, restart_with

end_with_parent()
starts = int(os.environ.get("STARTS", 0)) + 1
os.environ["STARTS"] = str(starts)
restart_with({**environment(3), "MARK": "set"})
born = "MARK=set" in open("/proc/self/environ").read().split("\\0")
print(starts, os.environ["MARK"], os.environ["OMP_NUM_THREADS"], born, *sys.argv[1:], flush=True)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, *sys.argv[1:]])
print(child.pid, flush=True)
time.sleep(60)
"""

# How many MiB of heap are in use more after products of 600 lengths, of which nothing is kept.
LENGTHS = """
import ctypes
import torch

class Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena a b c mapped d e used free f".split()]

heap = ctypes.CDLL(None)
heap.mallinfo2.restype = Heap
weight = torch.ones(64, 64, dtype=torch.bfloat16)
before = 0
for length in range(100, 700):
    torch.nn.functional.linear(torch.ones(length, 64, dtype=torch.bfloat16), weight)
    before = before or heap.mallinfo2().used
print((heap.mallinfo2().used - before) >> 20)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the module, in which nothing says yet that the variables are set."""
    monkeypatch.delenv("THREEPLY_ENVIRONMENT_SET", raising=False)
    (tmp_path / "begin.py").write_text(BEGIN)
    return tmp_path


def run(folder: Path, *words: str, **variables: str) -> str:
    return python(*words, place=folder, modules=(ROOT, folder), **variables).stdout


def test_the_process_starts_again_once_under_its_variables(module: Path) -> None:
    assert run(module, "-m", "begin", "a b", "--c=*") == "2 set 3 True a b --c=*\n"


def test_a_child_of_a_stage_starts_again_for_itself(module: Path) -> None:
    # The mark is inherited, but names the parent: the child cannot take it for its own.
    code = f"import subprocess, sys; raise SystemExit(subprocess.call([{sys.executable!r}, '-m', 'begin']))"
    (module / "outer.py").write_text(BEGIN.replace("print(", f"{code}\nprint("))
    assert run(module, "outer.py") == "4 set 3 True\n"


def test_the_variables_hold_under_dvc(module: Path) -> None:
    (module / "dvc.yaml").write_text(
        "stages:\n  begin:\n    cmd: python -m begin from dvc\n    deps: [begin.py]\n"
    )
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    run(module, "-m", "dvc", "init", "--no-scm", "-q", **env)
    assert "2 set 3 True from dvc\n" in run(module, "-m", "dvc", "repro", **env)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's signal is Linux's")
def test_a_stage_ends_when_its_parent_is_killed(module: Path) -> None:
    (module / "begin.py").write_text(BEGIN + "import time\ntime.sleep(60)\n")
    (module / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, "parent.py", "-m", "begin"],
        cwd=module,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{module}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert parent.stdout.readline().startswith("2 set")  # it has begun, after its restart
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, seconds=10)


def test_threads_are_those_of_the_affinity_unless_they_are_set() -> None:
    assert environment("auto")["OMP_NUM_THREADS"] == str(cores())
    assert environment(7)["MKL_NUM_THREADS"] == "7"
    assert environment(1).items() >= QUIET.items()


def test_what_is_left_is_given_back() -> None:
    class Trainer:
        def __init__(self) -> None:
            self.itself = self

    gone = weakref.ref(Trainer())
    release_memory()
    assert gone() is None


@pytest.mark.skipif(
    not (can_pack() and hasattr(ctypes.CDLL(None), "mallinfo2")), reason="needs bfloat16 by oneDNN, and glibc"
)
def test_many_lengths_leave_no_more_memory_in_use_than_few() -> None:
    """Without the variables it is 340 MiB; a run has more lengths, until the caches are full."""
    found = subprocess.run(
        [sys.executable, "-c", LENGTHS],
        env={**os.environ, **environment(1)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) < 120
