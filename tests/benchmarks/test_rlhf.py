"""Protects the toy on which PPO here and elsewhere are compared: what it pays, and that ours learns it."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.rlhf import ours, toy
from tests.conftest import ROOT


def test_it_pays_the_share_of_the_room_that_the_word_fills() -> None:
    assert toy.share("") == 0.0
    assert toy.share(f"5 {toy.LIKED} {toy.LIKED} 19") == 2 / toy.ROOM
    assert toy.share(" ".join([str(toy.LIKED)] * toy.ROOM)) == 1.0


def test_ours_learns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text(
        (ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    path = toy.prepared(tmp_path, updates=12, prompts=8, threads=1)
    job = json.loads(path.read_text(encoding="utf-8"))
    assert len(job["prompts"]) == 12 * 8 * toy.RESPONSES
    assert not any(toy.LIKED in prompt for prompt in job["prompts"])
    faster = {"learning_rate": 1e-2, "kl_coefficient": 0.02}  # it has few updates here
    path.write_text(json.dumps(job | faster), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["ours", str(path)])
    assert ours.main() == 0
    rewards = json.loads(capsys.readouterr().out.splitlines()[-1])["rewards"]
    assert len(rewards) == 12
    assert rewards[0] < 0.1
    assert sum(rewards[-3:]) / 3 > 0.3  # of a chance of 1 in 64
