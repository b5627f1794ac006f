"""Protects the speed of the data half: made rows are equal each time, and each step and size is measured."""

import json
import shutil
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.data import beside, scale, speed, speed_page
from benchmarks.data.made import BLOCK, COPIES, Made, records
from benchmarks.data.stages import PREPARING, SOURCES, run_stage
from benchmarks.data.watch import bytes_below
from deploy.errors import ThreeplyError
from tasks.rows.records import Example
from tasks.rows.tables import read_table, write_table
from tasks.settings import load_settings

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def standing(name: str) -> Example:
    return Made(id=f"sources/made.jsonl:{name}", prompt="q", answer="a", kind="plain").example()


def test_records_are_the_same_each_time_and_copies_stand_behind_what_they_copy() -> None:
    made = list(records(6_000, seed=1))
    assert made == list(records(6_000, seed=1))
    assert len({each.id for each in made}) == 6_000
    places = {each.id: place for place, each in enumerate(made)}
    copied = [each for each in made if each.of]
    assert {each.kind for each in copied} == set(COPIES)
    for each in copied:
        first = made[places[each.of]]
        assert (first.kind, places[first.id] < places[each.id]) == ("plain", True)
        assert (first.prompt == each.prompt) == (each.kind == "exact")
        assert (first.answer == each.answer) == (not each.kind.startswith("near"))
    shares = Counter(each.kind for each in made)
    assert 0.015 < shares["near 10%"] / 6_000 < 0.025


def test_records_that_are_made_from_a_number_on_are_those_of_all() -> None:
    whole = list(records(BLOCK + 20, seed=0))
    assert [*records(BLOCK, seed=0), *records(20, seed=0, first=BLOCK)] == whole


def test_at_scale_what_was_measured_stays_and_the_rest_is_done(tmp_path: Path) -> None:
    before = {"a_second": 1, "cpu_seconds": 1.0, "memory_mib": 1, "disk_mib": 1}
    done = {"records": 40, "stages": dict.fromkeys(PREPARING[1:], before)}
    (tmp_path / SOURCES).mkdir()
    (tmp_path / scale.DONE).write_text(json.dumps(done), encoding="utf-8")
    found = scale.measured(tmp_path, 40)
    assert list(found["stages"]) == list(PREPARING)
    assert found["stages"]["split"] == before
    collected = found["stages"]["collect"]
    assert collected["memory_mib"] > 1
    assert collected["cpu_seconds"] > 0
    assert len(read_table(tmp_path / "data/raw/rows/examples.parquet", Example)) > 30
    assert json.loads((tmp_path / scale.DONE).read_text(encoding="utf-8"))["stages"] == found["stages"]
    assert "| `collect` |" in speed_page.scale({"sizes": {"40": found}})


def test_a_folder_that_scale_cannot_use_is_told(tmp_path: Path) -> None:
    with pytest.raises(ThreeplyError, match="1 or more"):
        scale.measured(tmp_path, 0)
    with pytest.raises(ThreeplyError, match="--folder"):
        scale.measured(tmp_path, 10**13)
    (tmp_path / scale.DONE).write_text('{"records": 40, "stages": {}}', encoding="utf-8")
    with pytest.raises(ThreeplyError, match="40 records, not 50"):
        scale.measured(tmp_path, 50)
    (tmp_path / scale.DONE).write_text("[]", encoding="utf-8")
    with pytest.raises(ThreeplyError, match="begin again"):
        scale.measured(tmp_path, 50)
    (tmp_path / scale.DONE).rename(tmp_path / "mine.json")
    with pytest.raises(ThreeplyError, match="other files"):
        scale.measured(tmp_path, 50)


def test_each_step_that_params_names_is_timed_and_exact_copies_go(tmp_path: Path) -> None:
    speed.make(tmp_path, 400)
    assert run_stage(tmp_path, "collect").cpu_seconds > 0.0
    for name, ids in {"train": ["m0", "m1"], "validation": [], "test": ["m2"]}.items():
        write_table(tmp_path / f"data/splits/{name}/examples.parquet", Example, map(standing, ids))
    copies = [Made(id=name, prompt="", answer="", kind="near 10%", of="m0") for name in ("m1", "m2")]
    assert speed.apart(tmp_path, copies) == {"near 10%": 0.5}
    shutil.copytree(tmp_path / speed.RAW, tmp_path / speed.CLEAN)
    told = speed.steps(tmp_path, 400)
    assert 0 < told["figures_seconds"] <= told["suites_seconds"]
    assert told["suites_rows"] == sum(step["rows"] for step in [*told["steps"].values()][:1])
    assert list(told["steps"]) == load_settings(Path("params.yaml")).clean.steps
    assert told["copies"]["recall"]["exact"] == 1.0
    assert told["copies"]["precision"]["duplicates"] == 1.0
    assert told["keys_a_second"] > 0
    assert "| step `duplicates` |" in speed_page.tables({"sizes": {"400": told}})
    suites = speed.judged(tmp_path / speed.RAW, load_settings(Path("params.yaml")).validate_)
    assert f"| {suites['suites_rows']:,} rows | " in speed_page.suites({"sizes": {"400": suites}})


def test_a_copy_goes_with_what_it_copies_and_a_wrong_drop_lowers_precision() -> None:
    made = [
        Made(id="a", prompt="", answer="", kind="plain"),
        Made(id="b", prompt="", answer="", kind="near 10%", of="a"),
        Made(id="c", prompt="", answer="", kind="near 10%", of="a"),
        Made(id="d", prompt="", answer="", kind="plain"),
    ]
    assert speed.copies(made, {"b": "near", "d": "near"}) == {
        "recall": {"near 10%": 0.5},
        "precision": {"near": 0.5},
    }
    assert speed.copies(made, {"a": "near"}) == {"recall": {"near 10%": 1.0}, "precision": {"near": 1.0}}


def test_an_interpreter_without_datatrove_is_told(tmp_path: Path) -> None:
    made = list(records(3, seed=0))
    with pytest.raises(ThreeplyError, match="datatrove has failed"):
        beside.datatrove(Path(sys.executable), tmp_path, made, ["length"], load_settings(Path("params.yaml")))


def test_a_folder_is_measured_while_parts_of_it_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "stays").write_bytes(b"x" * 100)
    done = threading.Event()

    def busy() -> None:
        while not done.is_set():
            (tmp_path / "goes/deep").mkdir(parents=True, exist_ok=True)
            (tmp_path / "goes/deep/file").write_bytes(b"y")
            shutil.rmtree(tmp_path / "goes")

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        found = {bytes_below(tmp_path) for _ in range(300)}
    finally:
        done.set()
        thread.join()
    assert found <= {100, 101}
