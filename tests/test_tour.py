"""Protects docs/tour.md: its files exist and hand on as it says, and its stages come in their order."""

import re
from itertools import pairwise
from pathlib import Path

import grimp
import pytest
import yaml

from tasks.stages import STAGES
from tests.conftest import ROOT

PAGE = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
FILE = r"`((?:flows|tasks|deploy)/[\w/]+\.py)`"
CHAIN = re.compile(rf"{FILE}(?:\s→\s{FILE})+")
STEPS = [
    step
    for chain in CHAIN.finditer(PAGE)
    for files in [re.findall(FILE, chain[0])]
    for step in pairwise(files)
]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Which module imports which, those inside functions included."""
    return grimp.build_graph("tasks", "deploy", "flows", cache_dir=None)


def module(file: str) -> str:
    """The name that a file is imported by."""
    return ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__")


def test_the_files_are_there() -> None:
    named = re.findall(r"`([\w./]+\.(?:py|yaml))`", PAGE)
    assert [file for file in named if not (ROOT / file).is_file()] == []
    assert PAGE.count("→") == len(STEPS) + 1  # the one that explains the mark


def test_each_file_imports_the_next(imports: grimp.ImportGraph) -> None:
    broken = [
        f"{one} → {other}"
        for one, other in STEPS
        if not imports.direct_import_exists(importer=module(one), imported=module(other))
    ]
    assert broken == []


def test_the_stages_come_in_their_order_each_with_its_own_file_first() -> None:
    parts = re.split(r"^### (\w+)$", PAGE.split("## One question")[0], flags=re.MULTILINE)[1:]
    told = dict(zip(parts[::2], parts[1::2], strict=True))
    order = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert list(told) == [name for name in order if name in told]
    assert set(order) - set(told) == {"base", "search"}  # no row passes them
    first = {name: re.findall(FILE, text)[0] for name, text in told.items()}
    assert {name: module(file) for name, file in first.items()} == {name: STAGES[name] for name in told}
