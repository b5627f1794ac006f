"""Toy projects: stages that copy a file, named as the real chain needs them, or that hand out real models."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import graph
from tests.conftest import ROOT
from tests.flows.handed import handing_out, speaking
from tests.interpreter import python

STAGES = (("clean", "start.txt"), ("split", "clean.txt"), ("rlhf", "split.txt"), ("report", "rlhf.txt"))


@pytest.fixture(scope="session")
def fresh_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project, ready for DVC, to be copied."""
    folder = tmp_path_factory.mktemp("toy")
    lines = ["stages:"]
    for name, source in STAGES:
        lines += [
            f"  {name}:",
            f"    cmd: python toy.py {name} {source} {name}.txt",
            f"    deps: [{source}, toy.py]",
            f"    params: [{name}]",
            f"    outs: [{name}.txt]",
        ]
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "start.txt").write_text("start\n", encoding="utf-8")
    (folder / "behaviour").mkdir()
    shutil.copyfile(Path(__file__).with_name("toy.py"), folder / "toy.py")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    graph.prepare(folder)
    return folder


@pytest.fixture
def toy(fresh_toy: Path, tmp_path: Path) -> Path:
    """The folder of a toy project in which nothing has run yet."""
    return Path(shutil.copytree(fresh_toy, tmp_path / "toy"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project's settings and nothing that was run, as the current one."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that name one Prefect server for all tests: the first start takes 20 s."""
    from flows.api import prefect_api

    before = dict(os.environ)
    with prefect_api(tmp_path_factory.mktemp("server")) as api:
        named = {name: value for name, value in os.environ.items() if before.get(name) != value}
        os.environ.clear()
        os.environ.update(before)  # a test that does not ask for the server knows nothing of it
        api.wait()
        yield named


@pytest.fixture
def server(served: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server, which runs of this test are recorded by."""
    for name, value in served.items():
        monkeypatch.setenv(name, value)
    return served["PREFECT_API_URL"]


@pytest.fixture(scope="session")
def finished_toy(fresh_toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project whose stages have all run, to be copied."""
    folder = Path(shutil.copytree(fresh_toy, tmp_path_factory.mktemp("finished") / "toy"))
    python("-m", "dvc", "repro", "--quiet", place=folder)
    return folder


@pytest.fixture
def finished(finished_toy: Path, tmp_path: Path) -> Path:
    """The folder of a toy project whose stages have all run."""
    return Path(shutil.copytree(finished_toy, tmp_path / "toy"))


@pytest.fixture(scope="session")
def models(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A base model that always says `aaa`, and adapters that change nothing."""
    return speaking(tmp_path_factory.mktemp("speaking"), tiny_base)


@pytest.fixture
def project(tmp_path: Path, models: dict[str, Path], tiny_embedder: Path) -> Path:
    """A project whose stages hand out tiny real parts."""
    return handing_out(tmp_path, models, tiny_embedder)
