"""Protects what a server reads from being deleted: held from before the first file to after the last."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import BundleError
from deploy.server.holding import Hold, unheld
from tests.conftest import ROOT


def is_free(folder: Path) -> bool:
    with unheld(folder) as free:
        return free


def test_a_hold_lasts_as_long_as_its_object_and_several_may_have_one(tmp_path: Path) -> None:
    assert is_free(tmp_path)
    first, second = Hold(tmp_path), Hold(tmp_path)
    assert not is_free(tmp_path)
    del first
    gc.collect()
    assert not is_free(tmp_path)
    del second
    gc.collect()
    assert is_free(tmp_path)


def test_a_hold_goes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    script = "import sys\nfrom pathlib import Path\nfrom deploy.server.holding import Hold\n"
    script += "hold = Hold(Path(sys.argv[1]))\nprint('held', flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert not is_free(tmp_path)
        process.kill()
    assert is_free(tmp_path)


def test_what_is_being_deleted_or_gone_is_not_held(tmp_path: Path) -> None:
    with unheld(tmp_path), pytest.raises(BundleError, match="is being deleted"):
        Hold(tmp_path)
    Hold(tmp_path)
    with pytest.raises(BundleError, match="gone cannot be opened: No such file"):
        Hold(tmp_path / "gone")


def test_a_folder_that_may_only_be_read_is_held_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir(mode=0o555)
    hold = Hold(folder)
    assert not is_free(folder)
    assert list(folder.iterdir()) == []
    del hold
