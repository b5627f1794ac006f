"""Protects layers that go live during a run: none is taken away, and a running server follows each."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.early import Early
from flows.history import CURRENT, RELEASES, changing, choose, current, kept, point
from flows.release import ReleaseCandidate
from tests.flows.boards import told
from tests.flows.handed import CALIBRATED, INDEXED, STAGES, filled, released
from tests.flows.started import serving
from tests.interpreter import python
from tests.waiting import wait_until


@pytest.mark.flow
def test_what_is_released_or_refused_is_not_released_again_and_a_failure_ends_nothing(
    project: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.publishing import publish_early, withdraw

    monkeypatch.setattr(ReleaseCandidate, "ask", lambda _: "not asked: the test of the whole run does")
    filled(project, *STAGES)

    def early(which: Early, *, fresh: bool = True, tells: bool = True) -> list[str]:
        return told(lambda board: publish_early(project, board, which, fresh=fresh, tells=tells))

    assert early(INDEXED)[-2:] == [
        "release (knowledge) | prompt + retrieval answers: threeply serve",
        "release (knowledge) ran",
    ]
    first = current(project)
    assert early(INDEXED) == ["release (knowledge) starts", "release (knowledge) unchanged"]
    assert early(CALIBRATED, fresh=False) == ["release (calibrate) unchanged"]
    assert early(CALIBRATED)[-1] == "release (calibrate) ran"
    said = told(lambda board: withdraw(project, board))
    assert said[0].endswith("has the model that is refused: back to prompt + retrieval")
    assert current(project) == first
    assert [entry.release for entry in kept(project)] == [first]  # nobody goes back to what is refused
    assert told(lambda board: withdraw(project, board)) == []
    (project / "data/knowledge/added.bin").write_text("no known format", encoding="utf-8")
    failed = "prompt + retrieval is not released, and the run goes on: knowledge/added.bin cannot be shipped"
    said = early(INDEXED)
    assert said[:2] == ["release (knowledge) starts", "release (knowledge) failed"]
    assert said[2].startswith(f"release (knowledge) | {failed}")
    assert current(project) == first
    shutil.rmtree(project / "data/knowledge")
    filled(project, "knowledge")
    second = released(project, CALIBRATED)
    with changing(project):
        choose(project, first)
    said = early(CALIBRATED)
    assert said[1].startswith(f"release (calibrate) | {second} is not released again, for it was withdrawn")
    assert said[2] == "release (calibrate) unchanged"
    assert current(project) == first
    complete = released(project, None)
    assert early(INDEXED)[0].startswith(f"release (knowledge) | {complete} is complete: it serves on")
    assert early(INDEXED, tells=False) == ["release (knowledge) unchanged"]
    assert current(project) == complete
    told(lambda board: withdraw(project, board))
    assert current(project) == complete


def run(project: Path, ends: int = 0) -> list[str]:
    """The lines of a run that are about releases."""
    done = python("-m", "flows", "run", place=project, ends=ends)
    return [line for line in done.stdout.splitlines() if line.startswith("release")]


@pytest.mark.flow
@pytest.mark.timeout(1500)  # four real servers; a busy machine takes minutes for each
def test_a_run_releases_each_layer_as_it_is_ready_and_later_ones_take_nothing_away(
    project: Path, server: str
) -> None:
    (project / "refuse").mkdir()
    (project / "refuse/bundle").touch()
    said = run(project, ends=3)
    rows = [line.partition(":")[0] for line in said if ": starts" in line]
    assert rows == [
        "release (knowledge)",
        "release (calibrate)",
        "release (knowledge)",
    ]  # the last one takes it back
    assert [line for line in said if ": failed" in line] == []
    manifest = json.loads((project / CURRENT / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["partial"], manifest["models"]) == (True, ["base"])
    (project / "refuse/bundle").unlink()
    assert run(project)[-1].startswith("release: done")
    complete = current(project)
    with (project / "made/data/knowledge/derived.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    (project / "refuse/sft").touch()
    said = run(project, ends=3)  # other documents, and no new model yet
    assert said[0].startswith(f"release (knowledge) | {complete} is complete: it serves on")
    assert current(project) == complete


def test_a_running_server_goes_live_with_each_layer_and_survives_a_broken_release(project: Path) -> None:
    filled(project, *STAGES)
    released(project, INDEXED)
    with serving(project) as address:

        def shows(live: str, fault: str = "") -> bool:
            health: dict[str, Any] = httpx.get(f"{address}/healthz", timeout=60).json()
            return bool(health["live"] == live and fault in (health["fault"] or ""))

        def answered_by() -> str:
            asked = {"messages": [{"role": "user", "content": "What is C?"}]}
            return str(httpx.post(f"{address}/v1/chat/completions", json=asked, timeout=60).json()["model"])

        assert shows("prompt + retrieval; the tuned model is not there yet")
        assert answered_by() == "base"
        released(project, CALIBRATED)
        tuned = "prompt + retrieval + fine-tuning; what each layer adds is not measured yet"
        wait_until(lambda: shows(tuned), seconds=120)
        assert answered_by() == "sft"
        shutil.copytree(project / CURRENT, project / RELEASES / "broken")
        (project / RELEASES / "broken/base/config.json").write_text("{}", encoding="utf-8")
        point(project / CURRENT, project / RELEASES / "broken")
        wait_until(lambda: shows(tuned, "base/config.json: has"), seconds=120)
        assert answered_by() == "sft"
        released(project, None)
        wait_until(lambda: shows("prompt + retrieval + fine-tuning + RLHF"), seconds=120)
        assert answered_by() == "rlhf"
