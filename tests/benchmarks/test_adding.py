"""Protects the benchmark of pages that are added: each is found by its own word, and others told."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import adding
from flows.cli import main
from tests.conftest import ROOT
from tests.flows.bundles import of_models


def test_the_pages_are_added_by_the_command_and_found(
    tmp_path: Path,
    tiny_base: Path,
    tiny_embedder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def here(command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        """Runs the words in this process, which is spared a start of seconds."""
        with monkeypatch.context() as patched:
            patched.setenv("THREEPLY_SERVE_DOCUMENTS", env["THREEPLY_SERVE_DOCUMENTS"])
            return subprocess.CompletedProcess(command, main(command[3:]))

    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    bundle = of_models(tmp_path, "tiny", base=tiny_base, embedder=tiny_embedder)
    monkeypatch.setattr("benchmarks.adding.subprocess.run", here)
    monkeypatch.setattr("sys.argv", ["adding", "--pages=3", "--words=20", "--rounds=1"])
    assert adding.main() == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["pages"], told["missed"]) == (3, 0)
    assert told["passages"] >= 3
    missed, count = adding.looked_for(bundle, tmp_path / "nothing", 2)
    assert missed == ["0.md is not found first", "1.md is not found first"]
    assert count == 0


def test_pages_hold_the_bundles_own_passages_up_to_their_words(tmp_path: Path) -> None:
    adding.write_pages(tmp_path / "pages", ["one two", "three"], pages=2, words=50)
    text = (tmp_path / "pages/1.md").read_text(encoding="utf-8")
    assert "zq1v0w" in text
    assert 50 < len(text.split()) < 120
