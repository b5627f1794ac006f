"""Protects what can be gone back to: enough is kept, in order, and no more; crashes lose nothing."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.server.holding import Hold
from flows.errors import ReleaseError
from flows.history import (
    CURRENT,
    HISTORY,
    RELEASES,
    before,
    changing,
    choose,
    current,
    entries,
    kept,
    point,
    prune,
    refusal,
    withdraw_release,
    workspace,
)
from tests.flows.bundles import made, released


def folders(root: Path) -> set[str]:
    return {path.name for path in (root / RELEASES).iterdir() if path.is_dir() and not path.is_symlink()}


def go_back(root: Path, name: str) -> tuple[str, ...]:
    with changing(root):
        return choose(root, name)


def test_three_complete_releases_are_kept_and_older_ones_go(tmp_path: Path) -> None:
    names = [released(tmp_path, text) for text in ("one", "two", "three", "four", "five")]
    assert folders(tmp_path) == set(names[2:])
    assert [entry.release for entry in kept(tmp_path)] == names[2:]
    assert before(tmp_path) == names[3]


def test_partial_releases_take_no_place_of_complete_ones(tmp_path: Path) -> None:
    complete = [released(tmp_path, text) for text in ("one", "two", "three")]
    (tmp_path / CURRENT).unlink()  # as a person does who wants new documents at once
    early = released(tmp_path, "early", partial=True)
    tuned = released(tmp_path, "tuned", partial=True)
    assert folders(tmp_path) == {*complete, early, tuned}
    last = released(tmp_path, "four")
    assert folders(tmp_path) == {*complete[1:], tuned, last}  # the one that it took the place of stays
    assert before(tmp_path) == tuned
    assert folders(tmp_path) == {*complete[1:], tuned, last}


def test_what_a_server_holds_stays_until_a_later_release(tmp_path: Path) -> None:
    first = released(tmp_path, "one")
    hold = Hold(tmp_path / RELEASES / first)
    names = [released(tmp_path, text) for text in ("two", "three", "four", "five")]
    assert folders(tmp_path) == {first, *names[1:]}
    del hold
    last = released(tmp_path, "six")
    assert folders(tmp_path) == {*names[2:], last}


def test_a_release_that_is_made_again_is_not_touched_and_is_the_newest(tmp_path: Path) -> None:
    first = released(tmp_path, "one")
    second = released(tmp_path, "two")
    file = tmp_path / RELEASES / first / "note.txt"
    was = file.stat().st_ino
    assert released(tmp_path, "one") == first
    assert file.stat().st_ino == was  # a server may be reading it
    assert [entry.release for entry in kept(tmp_path)] == [second, first]
    released(tmp_path, "two")
    file.write_text("damaged", encoding="utf-8")
    assert released(tmp_path, "one") == first
    assert file.read_text(encoding="utf-8") == "one"


def test_going_back_withdraws_what_is_newer_and_going_forward_takes_that_back(tmp_path: Path) -> None:
    one, two, three = (released(tmp_path, text) for text in ("one", "two", "three"))
    assert go_back(tmp_path, two) == (three,)
    assert current(tmp_path) == two
    assert before(tmp_path) == one
    assert refusal(tmp_path, three) == (
        f"{three} is not released again, for it was withdrawn (gone back to {two}); {two} serves on. "
        f"threeply rollback --to {three} releases it"
    )
    assert go_back(tmp_path, one) == (two,)
    assert before(tmp_path) is None
    assert go_back(tmp_path, three) == ()
    assert refusal(tmp_path, three) == ""
    assert "withdrawn" in refusal(tmp_path, two)  # for that nobody has asked


def test_what_was_withdrawn_is_passed_over_and_makes_room_for_the_next_release(tmp_path: Path) -> None:
    one, two, bad = (released(tmp_path, text) for text in ("one", "two", "bad"))
    go_back(tmp_path, two)
    assert folders(tmp_path) == {one, two, bad}
    new = released(tmp_path, "new")
    assert folders(tmp_path) == {one, two, new}
    assert before(tmp_path) == two
    assert "withdrawn" in refusal(tmp_path, bad)  # although its files are gone
    for text in ("a", "b", "c", "d"):
        released(tmp_path, text)
    assert "withdrawn" in refusal(tmp_path, bad)


def test_a_refused_model_is_not_gone_back_to(tmp_path: Path) -> None:
    one, two = (released(tmp_path, text) for text in ("one", "two"))
    withdraw_release(tmp_path, two, "the stage bundle has refused its model")
    assert refusal(tmp_path, two) == ""  # it is live
    three = released(tmp_path, "three")
    assert before(tmp_path) == one
    assert folders(tmp_path) == {one, three}


def test_releases_of_before_there_was_a_history_are_gone_back_to(tmp_path: Path) -> None:
    one, two = released(tmp_path, "one"), released(tmp_path, "two")
    (tmp_path / HISTORY).unlink()
    assert {entry.release: entry.live for entry in kept(tmp_path)} == {one: "", two: ""}
    assert (current(tmp_path), before(tmp_path)) == (two, one)
    three = released(tmp_path, "three")
    assert [entry.release for entry in kept(tmp_path)] == [one, two, three]


def test_a_crash_between_the_file_and_the_link_leaves_both_ways_open(tmp_path: Path) -> None:
    one, two = released(tmp_path, "one"), released(tmp_path, "two")
    written = (tmp_path / HISTORY).read_text(encoding="utf-8")
    three = released(tmp_path, "three")
    (tmp_path / HISTORY).write_text(written, encoding="utf-8")  # killed after the link, before the file
    assert (current(tmp_path), before(tmp_path)) == (three, two)
    assert [entry.release for entry in kept(tmp_path)] == [one, two, three]
    go_back(tmp_path, one)
    point(tmp_path / CURRENT, tmp_path / RELEASES / three)  # killed after the file, before the link
    assert (current(tmp_path), before(tmp_path)) == (three, one)
    go_back(tmp_path, one)
    assert "withdrawn" in refusal(tmp_path, three)


def test_what_killed_processes_left_is_cleared_away_and_what_living_ones_write_is_not(tmp_path: Path) -> None:
    name = released(tmp_path, "one")
    script = "import sys, os, signal\nfrom pathlib import Path\nfrom flows.history import workspace\n"
    script += "with workspace(Path(sys.argv[1])) as own:\n    (own / 'weights').touch()\n"
    script += "    os.kill(os.getpid(), signal.SIGKILL)\n"
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    (tmp_path / RELEASES / ".current.123").symlink_to(name)
    assert len(folders(tmp_path)) == 2
    with workspace(tmp_path) as living:
        with changing(tmp_path):
            prune(tmp_path)
        left = {path.name for path in (tmp_path / RELEASES).iterdir()}
        assert left == {name, living.name, "current", "history.json"}
    assert folders(tmp_path) == {name}


def test_a_damaged_history_is_told_and_what_is_live_stays(tmp_path: Path) -> None:
    one = released(tmp_path, "one")
    (tmp_path / HISTORY).write_text("[{]", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"history\.json cannot be read: .*; delete it: when"):
        released(tmp_path, "two")
    assert current(tmp_path) == one
    assert folders(tmp_path) == {one}


def test_two_that_release_at_once_lose_none(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("a", "b")]
    bundles = [made(root, root.name) for root in roots]
    script = (
        "import sys\nfrom pathlib import Path\nfrom flows.release import candidate\n"
        "with candidate(Path(sys.argv[1]), Path(sys.argv[2])) as new:\n"
        "    input()\n    new.publish()\n"
    )
    releasing = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(bundle)], stdin=subprocess.PIPE, text=True
        )
        for bundle in bundles
    ]
    for process in releasing:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in releasing:
        process.communicate()
        assert process.returncode == 0
    names = [entry.release for entry in kept(tmp_path)]
    assert len(names) == 2
    assert current(tmp_path) == names[-1]
    assert {entry["release"] for entry in json.loads((tmp_path / HISTORY).read_text("utf-8"))} == set(names)
    assert [entry.withdrawn for entry in entries(tmp_path)] == ["", ""]
