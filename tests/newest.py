"""Runs the fast tests against the newest releases of the libraries that are bounded, and says what breaks.

    python -m tests.newest [--held torch fastapi sqlalchemy] [--environment FOLDER] [-- what pytest takes]

Makes an environment of its own, in which pip may choose any release of what pyproject.toml names; bounds stay
for what is `--held`. Prints which releases differ from requirements.lock, then each error with the tests that
it breaks; the last line is one JSON object. Exit 1 if a test fails.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

# PyTorch's builds are chosen by machine; the other bounds are there for Prefect's sake (see pyproject.toml).
HELD = ("torch", "fastapi", "sqlalchemy")


def wanted(held: Sequence[str]) -> list[str]:
    """What pip is asked for: the project's requirements, without bounds but for those of `held`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]]
    return [str(one) if one.name in held else one.name for one in asked]


def locked() -> dict[str, str]:
    """The releases of requirements.lock by name."""
    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements.lock").read_text().splitlines())
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def installed(python: Path) -> dict[str, str]:
    """The releases in the environment of `python` by name."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return {canonicalize_name(one["name"]): one["version"] for one in json.loads(listed)}


def differing(before: dict[str, str], now: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The releases of what is in both and not alike; a local part such as `+cpu` does not count."""
    pairs = {name: (one, now[name].partition("+")[0]) for name, one in sorted(before.items()) if name in now}
    return {name: (one, other) for name, (one, other) in pairs.items() if one != other}


def failures(report: Path) -> dict[str, list[str]]:
    """The tests that each error has broken, by its first line, from a report of pytest in JUnit's form."""
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        for child in case:
            if child.tag in {"failure", "error"}:
                said = (child.get("message") or child.text or "").strip().splitlines() or [""]
                found.setdefault(said[0], []).append(f"{case.get('classname')}::{case.get('name')}")
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def main(argv: Sequence[str] | None = None) -> int:
    """Make the environment, run the tests, print what differs; 1 if a test fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--held", nargs="*", default=HELD, help="libraries whose bounds stay")
    parser.add_argument("--environment", type=Path, help="where to make the environment, and to leave it")
    parser.add_argument("tests", nargs="*", help="what pytest is told besides")
    told = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        environment = told.environment or Path(scratch) / "environment"
        python = environment / "bin" / "python"
        if not python.exists():
            venv.create(environment, with_pip=True)
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, *wanted(told.held)], check=True, cwd=ROOT)
        subprocess.run([*pip, "--no-deps", "-e", "."], check=True, cwd=ROOT)
        newer = differing(locked(), installed(python))
        for name, (before, now) in newer.items():
            print(f"{name:32} {before} -> {now}", flush=True)
        report = Path(scratch) / "report.xml"
        xml = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
        subprocess.run(
            [python, "-m", "pytest", "-q", "-m", "not e2e", *xml, *told.tests], check=False, cwd=ROOT
        )
        broken = failures(report)
    for error, tests in broken.items():
        print(f"BROKEN {len(tests)}: {error}\n    " + "\n    ".join(tests))
    newest = {name: now for name, (_, now) in newer.items()}
    print(json.dumps({"newer": newest, "broken": sum(map(len, broken.values()))}))
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
