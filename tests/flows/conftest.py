"""A toy project: the real settings, and four stages that copy a file, named as the real chain needs them."""

import shutil
from pathlib import Path

import pytest

from flows import graph

PROJECT = Path(__file__).parents[2]
STAGES = (("clean", "start.txt"), ("split", "clean.txt"), ("rlhf", "split.txt"), ("report", "rlhf.txt"))
SECTIONS = {"clean": "clean", "split": "split", "rlhf": "rlhf", "report": "report"}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The folder of a toy project, ready for DVC."""
    lines = ["stages:"]
    for name, source in STAGES:
        lines += [
            f"  {name}:",
            f"    cmd: python toy.py {name} {source} {name}.txt",
            f"    deps: [{source}, toy.py]",
            f"    params: [{SECTIONS[name]}]",
            f"    outs: [{name}.txt]",
        ]
    (tmp_path / "dvc.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "start.txt").write_text("start\n", encoding="utf-8")
    (tmp_path / "behaviour").mkdir()
    shutil.copyfile(Path(__file__).with_name("toy.py"), tmp_path / "toy.py")
    shutil.copyfile(PROJECT / "params.yaml", tmp_path / "params.yaml")
    graph.prepare(tmp_path)
    return tmp_path
