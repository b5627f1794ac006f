"""Protects that a stage runs again when code that it uses has changed, and only then."""

import re
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from tasks.stages import ALL
from tests.conftest import ROOT

# These cannot change what a stage makes: the values of settings are tracked by key in params.yaml, what
# does not fit into memory is refused, shards are the same wherever they are worked on, and so is a cache.
WITHOUT_EFFECT = re.compile(
    r"(.+\.(\w+_)?settings|tasks\.training\.spread|\w+\.errors|tasks\.machine\.(cache|executors|progress|room|shards))"
)


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Which module imports which, those inside functions included."""
    return grimp.build_graph("tasks", "deploy", cache_dir=None)


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    """The stages as dvc.yaml declares them."""
    files = (ROOT / "dvc.yaml", ROOT / "lab/dvc.yaml", ROOT / "recipes/dvc.yaml")
    return {
        name: stage
        for file in files
        for name, stage in yaml.safe_load(file.read_text(encoding="utf-8"))["stages"].items()
    }


def used_files(imports: grimp.ImportGraph, module: str) -> set[Path]:
    """The files of all modules that `module` and its parts need."""
    waiting, seen = [module, *imports.find_descendants(module)], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen and not WITHOUT_EFFECT.fullmatch(name):
            seen.add(name)
            waiting += imports.find_modules_directly_imported_by(name)
    paths = (ROOT / name.replace(".", "/") for name in seen)
    return {path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for path in paths}


@pytest.mark.parametrize("name", ALL)
def test_a_stage_depends_on_the_code_that_it_uses(
    name: str, imports: grimp.ImportGraph, stages: dict[str, Any]
) -> None:
    used = used_files(imports, ALL[name])
    listed = [ROOT / dep for dep in stages[name]["deps"] if str(dep).startswith(("tasks/", "deploy/"))]
    missing = {file for file in used if not any(file == dep or dep in file.parents for dep in listed)}
    assert not missing, f"add to the deps of {name}: {sorted(str(f.relative_to(ROOT)) for f in missing)}"
    idle = {dep for dep in listed if not any(file == dep or dep in file.parents for file in used)}
    assert not idle, f"{name} no longer uses {sorted(str(dep.relative_to(ROOT)) for dep in idle)}"
