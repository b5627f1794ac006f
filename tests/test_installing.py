"""Protects what `make venv` says while pip works: how far it is, what failed, and pip's own exit code."""

import os
import sys
from pathlib import Path

from tests.interpreter import python

SCRIPT = ".ci/installing.py"
PIP = """
import sys
for number in range(18):
    print(f"Collecting package{number}==1.0 (from -r lock (line {number}))")
    print(f"  Downloading https://index/package{number}-1.0-py3-none-any.whl ({number}.5 kB)")
print("Collecting dvc-task<1,>=0.3 (from -r lock (line 19))")
print("Processing ./wheels/dvc_task-0.40.2-py3-none-any.whl (from -r lock (line 19))")
print("Requirement already satisfied: rich==15.0 in /venv/lib (from -r lock (line 20)) (15.0)")
print("  Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl (180.4 MB)")
print("Installing collected packages: package0, package1")
print("WARNING: mind this", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


def install(tmp_path: Path, *, code: int) -> tuple[list[str], str]:
    """What is said, to each stream, of a pip that ends with `code`."""
    lock, pip = tmp_path / "lock", tmp_path / "pip.py"
    lock.write_text("# a head\n" + "".join(f"package{number}==1.0\n" for number in range(20)))
    pip.write_text(PIP)
    done = python(SCRIPT, sys.executable, pip, code, "-r", lock, ends=code)
    return done.stdout.splitlines(), done.stderr


def test_a_line_is_printed_for_every_tenth_package_and_for_large_downloads(tmp_path: Path) -> None:
    lines, errors = install(tmp_path, code=0)
    assert lines[0].startswith("20 packages are downloaded and installed")
    assert lines[1:-1] == [
        "10 of 20: package9",
        "20 of 20: rich",
        "downloading torch-2.13.0, 180 MB",
        "unpacking them",
    ]
    assert lines[-1].startswith("installed in ")
    assert errors == f"WARNING: mind this{os.linesep}"


def test_the_exit_code_of_pip_and_the_end_of_its_words_are_not_lost(tmp_path: Path) -> None:
    lines, errors = install(tmp_path, code=7)
    assert "WARNING: mind this" in errors
    assert "Requirement already satisfied: rich" in errors
    assert not lines[-1].startswith("installed")
