"""Protects a partial bundle: it answers with what is ready, and says that it is partial."""

from pathlib import Path
from typing import Any

import pytest

from deploy.answer import Layers
from deploy.atomic import write_json
from deploy.bundle import load_bundle, read_settings, verify_bundle
from deploy.engines.abstaining import Abstaining
from deploy.errors import BundleError
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.release.partial import write_partial
from tests.conftest import small_settings, write_tiny_index


@pytest.fixture(scope="module")
def parts(tiny_base: Path, tiny_embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is there at the end of `index`, and the settings of the project for one small machine."""
    folder = tmp_path_factory.mktemp("parts")
    write_tiny_index(folder / "index", tiny_embedder, {"svm.SVC": "C=1.0 : float"})
    write_json(folder / "gate.json", {"passed": True})
    rules = {name: {"threshold": at, "coverage_weight": 2.0} for name, at in (("sft", 0.4), ("rlhf", 0.3))}
    write_json(folder / "calibration.json", rules)
    settings = small_settings(generation={"max_new_tokens": 6})
    return {
        "base": tiny_base,
        "embedder": tiny_embedder,
        "knowledge": folder / "index",
        "gate": folder / "gate.json",
        "sft": None,
        "thresholds": None,
        "project": folder,
        "run": settings.run,
        "retrieval": settings.retrieval,
        "prompt": settings.prompt,
        "generation": settings.generation,
        "indexing": settings.index,
        "settings": settings.bundle,
    }


def test_without_an_adapter_the_base_model_answers_from_the_documents(
    tmp_path: Path, parts: dict[str, Any]
) -> None:
    write_partial(tmp_path / "bundle", **parts)
    manifest = verify_bundle(tmp_path / "bundle")
    assert (manifest.partial, manifest.models) == (True, ("base",))
    assert (manifest.gate, manifest.ledger) == ({"passed": True}, {})
    [answer] = load_bundle(tmp_path / "bundle").answer(
        [[Message("user", "C?")]], model="base", layers=Layers()
    )
    assert answer.completion_tokens > 0
    assert [source.document for source in answer.sources] == ["svm.SVC"]


def test_with_the_adapter_of_fine_tuning_come_its_threshold_and_no_other(
    tmp_path: Path, parts: dict[str, Any], tiny_adapters: dict[str, Path]
) -> None:
    more = {"sft": tiny_adapters["sft"], "thresholds": parts["gate"].with_name("calibration.json")}
    write_partial(tmp_path / "bundle", **{**parts, **more})
    assert verify_bundle(tmp_path / "bundle").models == ("base", "sft")
    assert read_settings(tmp_path / "bundle").abstention == {
        "sft": Abstaining(threshold=0.4, coverage_weight=2.0)
    }


def test_a_template_of_the_users_own_is_that_of_the_place_of_the_run(
    tmp_path: Path, parts: dict[str, Any]
) -> None:
    own = tmp_path / "place/sources/prompts/mine.prompty"
    own.parent.mkdir(parents=True)
    own.write_text("---\nversion: 1.0.0\n---\nuser:\nSay: {{ question }}\n", encoding="utf-8")
    prompt = parts["prompt"].model_copy(update={"template": "sources/prompts/mine.prompty"})
    write_partial(tmp_path / "bundle", **{**parts, "prompt": prompt, "project": tmp_path / "place"})
    assert "prompts/mine.prompty" in verify_bundle(tmp_path / "bundle").files


def test_what_is_missing_is_named(tmp_path: Path, parts: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match=r"gate\.json cannot be read: .*run threeply run"):
        write_partial(tmp_path / "one", **{**parts, "gate": tmp_path / "gate.json"})
    with pytest.raises(BundleError, match="holds no files"):
        write_partial(tmp_path / "two", **{**parts, "knowledge": tmp_path / "nothing"})
