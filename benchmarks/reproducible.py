"""Makes data, index and adapter twice from nothing, in two folders, and compares every byte.

    python -m benchmarks.reproducible [--profile smoke] [--until sft] [--keep]

Prints a table of hashes; the last line is one JSON object. Exit 1 if anything differs. The two runs share the
downloaded model and nothing else: each has a DVC cache of its own.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.files import sha256_of

PLACES = (Path("build/reproducible/a"), Path("build/reproducible/b"))
OUTPUTS = ("data/splits", "data/index", "data/models/sft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One output in both places: its hash there, how many files it has, and the first that differs."""

    output: str
    sha256: tuple[str, ...]
    files: int
    differs: str


def main() -> int:
    """Run both, compare, and tell."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.reproducible", description=__doc__)
    words.add_argument("--profile", default="smoke", help="profiles/NAME.yaml; `none`: params.yaml as it is")
    words.add_argument("--until", default="sft", metavar="STAGE", help="the last stage that runs")
    words.add_argument("--keep", action="store_true", help="leave build/reproducible for a look")
    given = words.parse_args()
    seconds: list[float] = []
    for place in PLACES:
        shutil.rmtree(place, ignore_errors=True)
        started = time.monotonic()
        run(place, profile=None if given.profile == "none" else given.profile, until=given.until)
        seconds.append(round(time.monotonic() - started, 1))
    results = [compare(output, PLACES) for output in OUTPUTS if (PLACES[0] / output).exists()]
    print(f"{'output':<18} {'files':>5}  {'first':<16} {'second':<16} equal")
    for one in results:
        first, second = (sha256[:16] for sha256 in one.sha256)
        print(f"{one.output:<18} {one.files:>5}  {first:<16} {second:<16} {one.differs or 'yes'}")
    same = bool(results) and not any(one.differs for one in results)
    if not given.keep:
        shutil.rmtree(PLACES[0].parent)
    hashes = {one.output: list(one.sha256) if one.differs else one.sha256[0] for one in results}
    print(json.dumps({"reproducible": same, "seconds": seconds, "sha256": hashes}))
    return 0 if same else 1


def run(place: Path, *, profile: str | None, until: str) -> None:
    """Run the chain in a new copy of the project at `place`; its output goes to the terminal."""
    command = [sys.executable, "-m", "flows", "run", "--place", str(place), "--until", until, "--no-release"]
    subprocess.run([*command, *(["--profile", profile] if profile else [])], check=True)


def compare(output: str, places: Iterable[Path]) -> Compared:
    """The output of all places, file by file."""
    trees = [hashes(place / output) for place in places]
    names = sorted(set().union(*trees))
    differs = next((name for name in names if len({tree.get(name) for tree in trees}) > 1), "")
    totals = tuple(hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest() for tree in trees)
    return Compared(output=output, sha256=totals, files=len(names), differs=differs)


def hashes(root: Path) -> dict[str, str]:
    """The SHA-256 of each file under `root`, by its relative path."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): sha256_of(path) for path in files}


if __name__ == "__main__":
    raise SystemExit(main())
