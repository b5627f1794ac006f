"""Protects early releases: layers go live as they become ready, and nothing better is ever replaced."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.atomic import remove, write_json
from deploy.bundle import BundledSettings, write_bundle
from flows.early import EARLY, SFT, Early, stands_above
from flows.graph import load_graph
from flows.history import CURRENT, RELEASES, changing, choose, current, kept, point
from flows.release import ReleaseCandidate, candidate, identity, making
from flows.stage import Outcome
from tasks.rows.reports import Report, write_report
from tasks.rows.skipped import leave_note
from tests.conftest import ROOT, small_settings, write_random_lora, write_tiny_index
from tests.flows.started import serving
from tests.interpreter import python
from tests.waiting import wait_until

INDEXED, CALIBRATED = EARLY
# Each stage puts its outputs where the real one does, out of the folder `made`.
STAGES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "base": ([], ["data/models/base", "data/models/embedder"]),
    "rerank": (["data/models/embedder"], ["data/models/retriever"]),
    "split": ([], ["data/reports/gate.json"]),
    "knowledge": (["data/reports/gate.json", "data/models/retriever"], ["data/knowledge"]),
    "sft": (["data/knowledge", "data/models/base"], ["data/models/sft"]),
    "rlhf": (["data/models/sft"], ["data/models/rlhf"]),
    "calibrate": (["data/models/sft", "data/models/rlhf"], ["data/calibration.json"]),
    "bundle": (["data/calibration.json"], ["data/bundle"]),
}
HAND_OUT = """
import shutil, sys
from pathlib import Path
if Path("refuse", sys.argv[1]).exists():
    print("error: sft has kept 0.10 of the likelihood of general text", file=sys.stderr)
    raise SystemExit(3)
for name in sys.argv[2:]:
    source, target = Path("made", name), Path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
"""


@pytest.fixture(scope="session")
def models(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A base model that always says `aaa`, and adapters that change nothing: a release has to say a thing."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("speaking")
    shutil.copytree(tiny_base, folder / "base")
    config = json.loads((tiny_base / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "base/config.json", {**config, "tie_word_embeddings": False})
    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
    letter = AutoTokenizer.from_pretrained(tiny_base).convert_tokens_to_ids("a")
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.weight[letter] = 1.0
        model.model.embed_tokens.weight.fill_(1.0)
        for name, weight in model.named_parameters():
            if "o_proj" in name or "down_proj" in name:
                weight.zero_()
    model.save_pretrained(folder / "base")
    for seed, name in enumerate(("sft", "rlhf")):
        write_random_lora(folder / name, folder / "base", seed=seed, spread=0.001)
    return {name: folder / name for name in ("base", "sft", "rlhf")}


@pytest.fixture
def project(tmp_path: Path, models: dict[str, Path], tiny_embedder: Path) -> Path:
    """A project whose stages hand out tiny real parts: a second's chain with releases that really answer."""
    made = tmp_path / "made/data"
    for name, source in {**models, "embedder": tiny_embedder, "retriever": tiny_embedder}.items():
        shutil.copytree(source, made / "models" / name)
    write_tiny_index(made / "knowledge", tiny_embedder, {"svm.SVC": "C=1.0 : float"})
    check = {"name": "dropped", "value": 0, "threshold": 1, "key": "gate.max_dropped", "passed": True}
    write_report(made / "reports/gate.json", Report(stage="gate", figures={"checks": [check]}))
    rule = {"threshold": 0.5, "coverage_weight": 0.0}
    write_json(made / "calibration.json", {"sft": rule, "rlhf": rule})
    write_complete(made / "bundle", made)
    (tmp_path / "hand_out.py").write_text(HAND_OUT, encoding="utf-8")
    lines = ["stages:"]
    for name, (needs, outs) in STAGES.items():
        watched = ["hand_out.py", *needs, *(f"made/{out}" for out in outs)]
        lines += [f"  {name}:", f"    cmd: python hand_out.py {name} {' '.join(outs)}"]
        lines += [f"    deps: [{', '.join(watched)}]", f"    outs: [{', '.join(outs)}]"]
    (tmp_path / "dvc.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("max_new_tokens: ", "max_new_tokens: 6 #"), "utf-8")
    return tmp_path


def write_complete(folder: Path, made: Path) -> None:
    """A complete bundle of what lies below `made`."""
    settings = small_settings()
    write_bundle(
        folder,
        name="tiny",
        base=made / "models/base",
        embedder=made / "models/retriever",
        knowledge=made / "knowledge",
        adapters={name: made / "models" / name for name in ("sft", "rlhf")},
        settings=BundledSettings(
            precision="float32",
            retrieval=settings.retrieval,
            prompt=settings.prompt,
            generation=settings.generation.model_copy(update={"max_new_tokens": 6}),
        ),
        gate={},
        ledger={"arms": {}},
    )


def filled(project: Path, *stages: str) -> Path:
    """The project after `stages`, without a run."""
    for name in stages:
        for out in STAGES[name][1]:
            source, target = project / "made" / out, project / out
            remove(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
    return project


def released(project: Path, early: Early | None) -> str:
    """The name of a release of `early`, or of the complete bundle, that nobody asked anything."""
    if early is None:
        with candidate(project, project / "made/data/bundle") as complete:
            complete.publish()
    else:
        with making(project) as made:
            early.fill(project, made)
            with candidate(project, made, take=Path.rename) as new:
                new.verify()
                new.publish()
    return str(current(project))


def test_what_an_early_release_needs_is_made_before_it_in_the_real_chain() -> None:
    names = load_graph(ROOT).names
    for early, needed in ((INDEXED, ("base", "gate", "knowledge")), (CALIBRATED, ("sft", "calibrate"))):
        assert max(names.index(name) for name in needed) == names.index(early.after)


def test_a_partial_bundle_is_released_without_a_second_copy(project: Path) -> None:
    filled(project, "base", "rerank", "split", "knowledge")
    name = released(project, INDEXED)
    assert {path.name for path in (project / RELEASES).iterdir()} == {name, "current", "history.json"}
    assert identity(project / CURRENT) == name
    with making(project) as again:
        INDEXED.fill(project, again)
        assert identity(again) == name  # nothing to release where nothing has changed


def test_nothing_better_gives_way(project: Path) -> None:
    filled(project, *STAGES)
    assert stands_above(project, INDEXED) == ""
    released(project, INDEXED)
    assert stands_above(project, INDEXED) == stands_above(project, CALIBRATED) == ""
    name = released(project, CALIBRATED)
    assert stands_above(project, INDEXED).startswith(f"{name} has sft, too: it serves on")
    assert stands_above(project, CALIBRATED) == ""
    name = released(project, None)
    for early in EARLY:
        assert stands_above(project, early).startswith(f"{name} is complete: it serves on")
    (project / CURRENT / "manifest.json").write_text("{", encoding="utf-8")
    assert stands_above(project, INDEXED) == ""  # no server could read it either


def test_a_stage_that_was_skipped_has_no_layer_to_release(project: Path) -> None:
    leave_note(project / SFT, "sft", "no rows")
    assert INDEXED.ready(project)
    assert not CALIBRATED.ready(project)


class Told:
    """A board that keeps what it is told."""

    def __init__(self) -> None:
        self.running, self.said = "", list[str]()

    def started(self, name: str, changes: Sequence[str]) -> None:
        self.said.append(f"{name} starts")

    def line(self, name: str, text: str) -> None:
        self.said.append(f"{name} | {text}")

    def ended(self, outcome: Outcome) -> None:
        self.said.append(f"{outcome.name} {outcome.how}")

    def failed(self, name: str, seconds: float) -> None:
        self.said.append(f"{name} failed")


def told(work: Callable[[Told], object]) -> list[str]:
    """What a board is told of `work`, done inside of a flow."""
    from prefect import flow

    board = Told()
    flow(name="told")(lambda: work(board))()
    return board.said


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
