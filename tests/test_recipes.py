"""Protects the recipes as a whole: the commands of the graphs, under each profile, with tiny models."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.settings import OWN_PROMPTS
from tasks.command import main
from tasks.evaluation.ledger import read_ledger
from tasks.machine.settings import overlay
from tasks.rows.reports import read_report
from tasks.settings import read_params
from tests.conftest import ROOT

# Great Expectations imports them.
pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
BEFORE = ("collect", "clean", "validate", "gate", "split")
AFTER = (
    "index", "query_encoder", "rerank", "knowledge", "search", "sft", "sample", "reward", "rlhf", "calibrate",
    "evaluate", "card",
)  # fmt: skip
TINY: dict[str, Any] = {
    "run": {"threads": 1, "precision": "float32"},
    "validate": {"min_examples": 10},
    "gate": {"max_dropped": 0.9},
    "split": {"validation": 0.2, "test": 0.3},
    "generation": {"max_new_tokens": 4},
    "sft": {
        "max_rows": 6,
        "validation_rows": 2,
        "epochs": 1,
        "max_length": 480,
        "max_cut": 1.0,
        "checkpoints": 1,
    },
    "calibrate": {"questions": 4},
    "evaluate": {
        "questions": 4,
        "rlhf_questions": 4,
        "base_max_new_tokens": 4,
        "bootstrap": 100,
        "latency_requests": 0,
    },
    "classify": {"max_rows": 12, "epochs": 1},
    "images": {"max_rows": 20, "epochs": 1, "pretraining_epochs": 1, "methods": ["lora"]},
}
TINY["sft"]["lora"] = {"rank": 4}
TINY["classify"]["method_settings"] = {"lora": {"rank": 4}}


def commands(file: str) -> Iterator[tuple[str, list[str]]]:
    """The stages of a graph with the words of their commands, in the order of the file; methods are lora."""
    for entry in YAML(typ="safe", pure=True).load(ROOT / file)["stages"].values():
        words = shlex.split(re.sub(r"\$\{item\.method\}", "lora", entry["cmd"]))
        yield words[3], words[3:]


def run(file: str, *stages: str) -> None:
    for stage, words in commands(file):
        if stage in stages:
            assert main(words) == 0, stage


@pytest.fixture
def place(
    tiny_base: Path, tiny_embedder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A project's folder with tiny models, as the current one."""
    (tmp_path / "sources").mkdir()
    shutil.copytree(tiny_base, tmp_path / "data/models/base")
    shutil.copytree(tiny_embedder, tmp_path / "data/models/embedder")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settle(place: Path, profile: str | None) -> None:
    """Write params.yaml: the project's with the profile, made tiny; sources give few rows."""
    values = read_params(ROOT / "params.yaml")
    if profile:
        values = overlay(values, read_params(ROOT / "profiles" / f"{profile}.yaml"))
    values = overlay(values, TINY)
    for source in values["collect"]["sources"]:
        if source["kind"] == "extracts":
            source["packages"] = ["scipy.fft", "scipy.signal"]
        if "max_rows" in source:
            source["max_rows"] = 40
    (place / "params.yaml").write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize(
    ("profile", "tasks"), [("structured", {"json", "sql"}), ("summarisation", {"summary"})]
)
def test_answers_with_a_form_go_through_the_chain(profile: str, tasks: set[str], place: Path) -> None:
    settle(place, profile)
    run("dvc.yaml", *BEFORE, *AFTER)
    ledger = read_ledger(place / "data/reports/ledger.json")
    assert set(ledger.arms["sft"].tasks) == tasks
    assert "rlhf" in ledger.skipped
    assert ledger.recall is None  # there is nothing to find, and nothing pretends that there is


def test_opinions_alone_go_through_the_chain(place: Path) -> None:
    settle(place, "preferences")
    values = json.loads((place / "params.yaml").read_text(encoding="utf-8"))
    small = {
        "validate": {"min_preferences": 10},
        "reward": {"max_rows": 8, "validation_rows": 6, "test_rows": 4, "batch_size": 4, "gate": False},
        "rlhf": {"updates": 1, "prompts": 2, "responses": 2, "mini_batches": 1, "heldout_prompts": 2},
    }
    small["rlhf"] |= {"max_new_tokens": 4, "checkpoints": 1, "validation_passes": 1, "trained_layers": 2}
    (place / "params.yaml").write_text(json.dumps(overlay(values, small)), encoding="utf-8")
    pairs = [
        {"prompt": f"\n\nHuman: What is {n}?\n\nAssistant:", "chosen": f"It is {n}.", "rejected": "No idea."}
        for n in range(60)
    ]
    lines = "".join(json.dumps(pair) + "\n" for pair in pairs)
    (place / "sources/preferences.jsonl").write_text(lines, encoding="utf-8")
    (place / "sources/rewards").mkdir()
    run("dvc.yaml", *BEFORE, *AFTER)
    figures = {
        stage: read_report(place / f"data/reports/{stage}.json").figures for stage in ("reward", "rlhf")
    }
    assert figures["reward"]["labels"] == {"human": 8}
    assert figures["rlhf"]["judged_by"] == "worth"
    assert {"sft", "rlhf"} <= set(read_ledger(place / "data/reports/ledger.json").arms)


def test_a_prompt_of_the_users_own_goes_through_the_chain_into_the_bundle(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = place / OWN_PROMPTS / "mine.prompty"
    own.parent.mkdir(parents=True)
    own.write_text("---\nversion: 1.0.0\n---\nuser:\nIn a sentence: {{ question }}\n", encoding="utf-8")
    settle(place, "summarisation")
    values = json.loads((place / "params.yaml").read_text(encoding="utf-8"))
    changes = {"prompt": {"template": f"{OWN_PROMPTS}/mine.prompty"}, "bundle": {"min_retention": 0.0}}
    (place / "params.yaml").write_text(json.dumps(overlay(values, changes)), encoding="utf-8")
    run("dvc.yaml", *BEFORE, *AFTER, "bundle")
    assert (place / "data/bundle/prompts/mine.prompty").read_bytes() == own.read_bytes()
    own.unlink()
    for stage, words in commands("dvc.yaml"):
        if stage in ("sft", "evaluate", "bundle"):
            assert main(words) == 1, "the stage has not read the template"
            assert "no prompt is called 'mine'" in capsys.readouterr().err


def test_labels_go_through_the_chain_to_a_head(place: Path) -> None:
    settle(place, "classification")
    run("dvc.yaml", *BEFORE)
    run("recipes/dvc.yaml", "classify")
    figures = read_report(place / "data/recipes/classify/lora.json").figures
    assert figures["labels"] == ["scipy.fft", "scipy.signal"]
    assert (place / "data/recipes/classify/lora/head.safetensors").is_file()


def test_pictures_go_through_their_recipe(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from flows.summary import print_recipe

    settle(place, None)
    run("recipes/dvc.yaml", "vision", "images")
    capsys.readouterr()
    print_recipe(place, "images")
    said = capsys.readouterr().out
    assert re.search(r"^lora +0\.\d{3} +0\.\d\d-\d\.\d\d", said, re.MULTILINE)
    assert "5 labels. Always answering" in said
