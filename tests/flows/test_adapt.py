"""Protects the flows on a toy graph: what Prefect records, what stops the chain, what an interrupt leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.interpreter import python
from tests.waiting import wait_until

pytestmark = pytest.mark.flow


def threeply(toy: Path, *words: str, ends: int = 0) -> "subprocess.CompletedProcess[str]":
    return python("-m", "flows", *words, place=toy, ends=ends)


def test_the_second_run_is_cached_and_a_changed_knob_reruns_what_depends_on_it(
    finished: Path, server: str
) -> None:
    second = threeply(finished, "run", "--no-release")
    assert second.stdout.count(": cached") == 4
    params = finished / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("salt: threeply", "salt: other"), encoding="utf-8")
    third = threeply(finished, "run", "--no-release")
    assert "clean: cached" in third.stdout
    assert "split: starts (split.salt modified)" in third.stdout
    assert "rlhf: cached" in third.stdout  # the outputs of split did not change
    # Task runs are recorded from events, a moment after the run has ended.
    wanted = {"clean": "Cached", "split": "Completed", "report": "Cached"}
    wait_until(lambda: wanted.items() <= last_states(server).items())


def last_states(server: str) -> dict[str, str]:
    """The state of the latest task run of each name."""
    import urllib.request

    request = urllib.request.Request(
        f"{server}/task_runs/filter",
        data=json.dumps({"sort": "EXPECTED_START_TIME_DESC", "limit": 100}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        runs = json.load(reply)
    states: dict[str, str] = {}
    for run in runs:
        states.setdefault(run["name"], run["state_name"])
    return states


def test_a_gate_stops_the_chain_with_its_own_words_and_code(toy: Path, server: str) -> None:
    (toy / "behaviour/split").write_text("gate", encoding="utf-8")
    done = threeply(toy, "run", "--no-release", ends=3)
    assert done.stderr.strip() == (
        "error: stage split: 12 of 20 rows were dropped; raise gate.max_dropped or mend the source"
    )
    assert "rlhf" not in done.stdout
    (toy / "behaviour/split").unlink()
    again = threeply(toy, "run", "--no-release")
    assert "clean: cached" in again.stdout
    ends = [line.partition(" in ")[0] for line in again.stdout.splitlines() if ": done" in line]
    assert ends == ["split: done", "rlhf: done", "report: done"]


def test_ctrl_c_leaves_no_child_and_says_where_it_goes_on(toy: Path, server: str) -> None:
    (toy / "behaviour/rlhf").write_text("sleep", encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, "-m", "flows", "run", "--no-release"],
        cwd=toy,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = toy / "pids/rlhf"
    wait_until(pids.exists, seconds=60)
    time.sleep(0.5)
    os.killpg(run.pid, signal.SIGINT)  # what a terminal does
    out, said = run.communicate(timeout=60)
    assert run.returncode == 130, out + said
    assert "interrupted in rlhf; nothing runs any more. Run it again and it goes on from rlhf" in said
    stat = Path("/proc", pids.read_text(encoding="utf-8"), "stat")
    assert not stat.exists() or " Z " in stat.read_text(encoding="utf-8")  # gone, or gone and not yet counted


def test_one_run_at_a_time(toy: Path) -> None:
    from flows.errors import PlaceError
    from flows.place import occupied

    with occupied(toy), pytest.raises(PlaceError, match=rf"process {os.getpid()}"), occupied(toy):
        pass


def test_a_flow_that_a_schedule_starts_keeps_others_out_as_well(toy: Path) -> None:
    from flows.adapt import prepare_data
    from flows.errors import PlaceError
    from flows.place import occupied

    with occupied(toy), pytest.raises(PlaceError, match="another run is going on"):
        prepare_data.fn(str(toy))
