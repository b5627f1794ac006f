"""Runs `pip install` and says how far it is, in a line for every tenth package: `make venv` takes minutes.

    .venv/bin/python .ci/installing.py .venv/bin/pip install -r requirements.lock

What pip says to stderr, its warnings and errors, goes on as it is; pip's exit code is the one of this, and
where pip fails, the end of what it said is shown. It runs before anything is installed, so it imports Python
alone.
"""

import re
import subprocess
import sys
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

EVERY = 10  # packages between two lines, and seconds between two lines while they are unpacked
LARGE = 50.0  # MB from which a download has a line of its own: it takes a while
# A package of an index by its name, a file of a folder of wheels by its path, one that is there already.
_FOUND = re.compile(
    r"(?:Collecting|Processing|Requirement already satisfied:) (?:\S*/)?([\w.]+(?:-[a-zA-Z]\w*)*)"
)
_DOWNLOAD = re.compile(r"\s+Downloading (\S+).* \(([\d.]+) MB\)")
_UNPACKED = "Installing collected packages"


def main(command: Sequence[str]) -> int:
    """Run pip's `command` to its end; its exit code."""
    wanted, started = named(command), time.monotonic()
    if wanted:
        print(f"{wanted} packages are downloaded and installed: this takes some minutes, once", flush=True)
    over, last = threading.Event(), deque[str](maxlen=20)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as pip:
        assert pip.stdout is not None
        for line in told(_kept(pip.stdout, last), wanted):
            print(line, flush=True)
            if line.startswith("unpacking"):
                threading.Thread(target=_watch, args=(over, wanted), daemon=True).start()
    over.set()
    if pip.returncode == 0:
        print(f"installed in {time.monotonic() - started:.0f} s", flush=True)
    else:
        sys.stderr.writelines(["pip has failed; the last that it said before its errors:\n", *last])
    return pip.returncode


def named(command: Sequence[str]) -> int:
    """How many packages the files of requirements in `command` name."""
    files = [Path(name) for flag, name in pairwise(command) if flag == "-r"]
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return sum(bool(re.match(r"\w", line)) for line in lines)


def told(lines: Iterable[str], wanted: int) -> Iterator[str]:
    """What is said of the `lines` of pip: every tenth package, large downloads, and that it unpacks them."""
    found: set[str] = set()
    for line in lines:
        if match := _FOUND.match(line):
            before = len(found)
            found.add(match[1].lower().replace("_", "-"))
            if len(found) > before and len(found) % EVERY == 0 and wanted:
                yield f"{len(found)} of {wanted}: {match[1]}"
        elif (match := _DOWNLOAD.match(line)) and float(match[2]) >= LARGE:
            name = "-".join(match[1].rpartition("/")[2].split("-")[:2])
            yield f"downloading {name}, {float(match[2]):.0f} MB"
        elif wanted and line.startswith(_UNPACKED):
            yield "unpacking them"


def _kept(lines: Iterable[str], last: deque[str]) -> Iterator[str]:
    """The same lines; the latest are in `last` as well."""
    for line in lines:
        last.append(line)
        yield line


def _watch(over: threading.Event, wanted: int) -> None:
    """Say how many packages are there, until it is over: pip unpacks all of them without a word."""
    folder, said = Path(sysconfig.get_path("purelib")), 0
    while not over.wait(EVERY):
        there = min(sum(1 for _ in folder.glob("*.dist-info")), wanted)
        if there > said:
            print(f"{there} of {wanted} unpacked", flush=True)
            said = there


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
