"""Protects what a reader may rely on: an output is the old one or the new one, never a part of either."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.atomic import remove, replacing, write_json, write_text


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def dead_process() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_file_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(path.parent) == ["file.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with replacing(path) as partial:
        partial.mkdir()
        (partial / "new").touch()
        assert names(path) == ["old"]
    assert names(path) == ["new"]
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("folder", [True, False])
def test_a_failed_block_leaves_the_old_content_and_no_trace(tmp_path: Path, folder: bool) -> None:
    path = tmp_path / "output"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as partial:  # noqa: PT012 - the block is what fails
        half = partial / "half" if folder else partial
        half.parent.mkdir(exist_ok=True)
        half.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["output"]


def test_what_killed_processes_left_is_cleared(tmp_path: Path) -> None:
    dead = dead_process()
    (tmp_path / f".output.partial-{dead}").mkdir()
    (tmp_path / f".output.partial-{dead}" / "half").touch()
    (tmp_path / f".output.old-{dead}").mkdir()
    (tmp_path / f".other.partial-{dead}").touch()
    write_text(tmp_path / "output", "new")
    assert names(tmp_path) == [f".other.partial-{dead}", "output"]


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    living = tmp_path / f".output.partial-{os.getppid()}"
    living.touch()
    write_text(tmp_path / "output", "new")
    assert living.exists()


def test_a_folder_that_had_stepped_aside_comes_back(tmp_path: Path) -> None:
    old = tmp_path / f".output.old-{dead_process()}"
    old.mkdir()
    (old / "content").touch()
    with pytest.raises(RuntimeError), replacing(tmp_path / "output"):
        raise RuntimeError
    assert names(tmp_path / "output") == ["content"]


def test_equal_values_give_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": ["é"]})
    write_json(tmp_path / "b.json", {"a": ["é"], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert "é" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_remove_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove(tmp_path / "link")
    remove(tmp_path / "never there")
    assert names(tmp_path) == ["kept"]


def test_threads_that_write_the_same_do_not_take_each_others_half(tmp_path: Path) -> None:
    path = tmp_path / "same.json"
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(write_json, path, {"a": 1}) for _ in range(200)]:
            done.result()
    assert names(tmp_path) == ["same.json"]


def test_what_a_killed_process_of_our_own_number_left_is_cleared(tmp_path: Path) -> None:
    old = tmp_path / f".output.old-{os.getpid()}.1"  # in a container numbers come again
    old.mkdir()
    (old / "content").touch()
    with pytest.raises(RuntimeError), replacing(tmp_path / "output"):
        raise RuntimeError
    assert names(tmp_path / "output") == ["content"]
