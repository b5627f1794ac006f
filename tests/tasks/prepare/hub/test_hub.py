"""Protects copies from the hub: whole ones alone, and a large file is not begun anew when the line breaks."""

import random
import resource
from pathlib import Path

import pytest

from tasks.errors import DownloadError
from tasks.prepare.hub import HubFile, Repository, bring, listed
from tests.tasks.prepare.hub.playing import FIRST, Hub, playing

CHUNK = 10 * 2**20  # what the client writes at once
WHERE = Repository("model", "org/model", FIRST)


def test_a_broken_download_is_gone_on_with(tmp_path: Path) -> None:
    large = random.Random(0).randbytes(2 * CHUNK + 2**20)
    with playing(Hub("org/model", "models", {FIRST: {"a/model.bin": large}}, cut=1), tmp_path / "hf") as hub:
        found = listed(WHERE, instead="wait")
        bring(WHERE, found.files, tmp_path / "copy", instead="wait")
    assert (tmp_path / "copy/a/model.bin").read_bytes() == large
    assert hub.ranges == [f"bytes={CHUNK}-"]


def test_a_client_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "huggingface_hub.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(DownloadError, match="its client has failed; try again later; or wait"):
        listed(WHERE, instead="wait")


def test_a_full_disk_is_one_of_this_machine(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with playing(Hub("org/model", "models", {FIRST: {"model.bin": bytes(2**20)}}), tmp_path / "hf"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                bring(WHERE, [HubFile(name="model.bin")], tmp_path / "copy", instead="wait")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
