"""Protects the bundle: equal inputs give equal bytes, and a damaged one is refused with the file's name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.bundle import BundledSettings, read_settings, verify_bundle, write_bundle
from deploy.engines.abstaining import Abstaining
from deploy.errors import BundleError, PromptError
from deploy.manifest import MANIFEST, Manifest
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings

SETTINGS = BundledSettings(
    precision="auto",
    retrieval=RetrievalSettings(top_k=3, candidates=10, dense_weight=0.5, fusion="scores"),
    prompt=PromptSettings(template="assistant"),
    generation=GenerationSettings(max_new_tokens=8, temperature=0.0, top_p=1.0),
)


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    """Small stand-ins for what a bundle is made of: the bundle reads none of them."""
    files = {
        "base": ["config.json", "model.safetensors", ".gitattributes"],
        "embedder": [
            "config.json",
            "1_Pooling/config.json",
            "vocab.txt",
            "reranker/weights.safetensors",
            "query_encoder/weights.safetensors",
        ],
        "knowledge": ["knowledge.sqlite", "dense.faiss", "lexical/data.npy"],
        "sft": ["adapter_config.json", "adapter_model.safetensors", "optimizer.bin"],
        "rlhf": ["adapter_config.json", "adapter_model.safetensors", "value_head.safetensors"],
    }
    for part, names in files.items():
        for name in names:
            path = tmp_path / "parts" / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{part} {name}")
    return {part: tmp_path / "parts" / part for part in files}


def make(folder: Path, parts: dict[str, Path], settings: BundledSettings = SETTINGS) -> Manifest:
    return write_bundle(
        folder,
        name="tiny",
        base=parts["base"],
        embedder=parts["embedder"],
        knowledge=parts["knowledge"],
        adapters={"sft": parts["sft"], "rlhf": parts["rlhf"]},
        settings=settings,
        gate={"passed": True},
        ledger={"questions": 3},
    )


@pytest.fixture
def bundle(tmp_path: Path, parts: dict[str, Path]) -> Path:
    make(tmp_path / "bundle", parts)
    return tmp_path / "bundle"


def test_a_bundle_verifies_and_tells_what_it_holds(bundle: Path) -> None:
    manifest = verify_bundle(bundle)
    assert manifest.models == ("base", "sft", "rlhf")
    assert manifest.ledger == {"questions": 3}
    assert manifest.versions["torch"]
    assert set(manifest.lineage) == {"base", "embedder", "knowledge", "adapters/sft", "adapters/rlhf"}
    assert read_settings(bundle) == SETTINGS


def test_training_states_and_hidden_files_stay_behind(bundle: Path) -> None:
    names = set(verify_bundle(bundle).files)
    assert {"adapters/sft/adapter_model.safetensors", "embedder/1_Pooling/config.json"} <= names
    assert {f"embedder/{kind}/weights.safetensors" for kind in ("reranker", "query_encoder")} <= names
    assert not {name for name in names if "optimizer" in name or "/." in name or "value_head" in name}
    assert {"prompts/assistant.prompty", "prompts/plain.prompty"} <= names


def test_a_template_of_the_users_own_is_one_by_its_name_in_the_bundle(
    tmp_path: Path, parts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path("sources/prompts/mine.prompty")
    own.parent.mkdir(parents=True)
    own.write_text("---\nversion: 1.0.0\n---\nuser:\nSay: {{ question }}\n")
    named = PromptSettings(template=own.as_posix())
    make(tmp_path / "bundle", parts, SETTINGS.model_copy(update={"prompt": named}))
    assert (tmp_path / "bundle/prompts/mine.prompty").read_bytes() == own.read_bytes()
    names = {name for name in verify_bundle(tmp_path / "bundle").files if name.startswith("prompts/")}
    assert names == {"prompts/mine.prompty", "prompts/plain.prompty"}
    assert read_settings(tmp_path / "bundle").prompt.template == "mine"
    own.unlink()
    with pytest.raises(PromptError, match=r"no prompt is called 'mine' in sources/prompts; there are: none"):
        make(tmp_path / "another", parts, SETTINGS.model_copy(update={"prompt": named}))


def test_equal_inputs_give_equal_bytes(bundle: Path, tmp_path: Path, parts: dict[str, Path]) -> None:
    make(tmp_path / "again", parts)
    assert (tmp_path / "again" / MANIFEST).read_bytes() == (bundle / MANIFEST).read_bytes()


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (
        lambda folder: flipped(folder / "base/model.safetensors"),
        r"base/model\.safetensors: has the sha256 [0-9a-f]{64}, the manifest says [0-9a-f]{64}",
    ),
    "a cut file": (
        lambda folder: (folder / "knowledge/dense.faiss").write_text("x"),
        r"knowledge/dense\.faiss: has 1 bytes, the manifest says 21",
    ),
    "a missing file": (lambda folder: (folder / "settings.json").unlink(), r"settings\.json: is missing"),
    "an added file": (
        lambda folder: (folder / "base/extra.json").write_text("{}"),
        r"base/extra\.json: is not in the manifest",
    ),
    "an added pickle": (
        lambda folder: (folder / "adapters/sft/adapter_model.bin").write_text("x"),
        r"adapter_model\.bin: is not in the manifest",
    ),
    "a link out of the bundle": (
        lambda folder: (
            shutil.move(folder / "embedder/vocab.txt", folder.parent / "vocab.txt")
            and (folder / "embedder/vocab.txt").symlink_to(folder.parent / "vocab.txt")
        ),
        r"embedder/vocab\.txt: is not a plain file",
    ),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "is no bundle"),
    "a manifest that is no JSON": (
        lambda folder: (folder / MANIFEST).write_text("{"),
        "cannot be read: Invalid JSON",
    ),
    "a manifest without files": (
        lambda folder: (folder / MANIFEST).write_text('{"format": 1}'),
        r"cannot be read: name: Field required",
    ),
    "a manifest of another format": (
        lambda folder: (folder / MANIFEST).write_text('{"format": 99}'),
        "has format 99, this version reads 1",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_refused(bundle: Path, damage: str) -> None:
    do, message = DAMAGES[damage]
    do(bundle)
    with pytest.raises(BundleError, match=message) as caught:
        verify_bundle(bundle)
    assert "dvc repro bundle" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../outside.json", "/etc/passwd.json", "base/weights.pkl", "base/weights.pt"]
)
def test_a_manifest_cannot_name_what_no_bundle_holds(bundle: Path, name: str) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "size": 1}
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"points outside the bundle|not a format that is ever loaded"):
        verify_bundle(bundle)


@pytest.mark.parametrize("name", ["../../elsewhere", "/models/other", "sft/..", "", "a b"])
def test_a_model_is_a_folder_in_the_bundle(bundle: Path, name: str) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["models"].append(name)
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="is no name of a folder in the bundle"):
        verify_bundle(bundle)


def test_a_manifest_that_is_a_link_is_refused(bundle: Path) -> None:
    """What it points at could be another one after it was verified."""
    shutil.move(bundle / MANIFEST, bundle.parent / MANIFEST)
    (bundle / MANIFEST).symlink_to(bundle.parent / MANIFEST)
    with pytest.raises(BundleError, match="is a link"):
        verify_bundle(bundle)


def test_a_pickle_is_never_shipped(tmp_path: Path, parts: dict[str, Path]) -> None:
    (parts["base"] / "pytorch_model.bin").write_text("x")
    with pytest.raises(BundleError, match=r"base/pytorch_model\.bin cannot be shipped"):
        make(tmp_path / "bundle", parts)


def test_a_missing_adapter_is_named(tmp_path: Path, parts: dict[str, Path]) -> None:
    (parts["rlhf"] / "adapter_model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"rlhf/adapter_model\.safetensors is not there"):
        make(tmp_path / "bundle", parts)


def test_when_a_model_abstains_is_read_as_it_was_written(tmp_path: Path, parts: dict[str, Path]) -> None:
    rules = {"sft": Abstaining(threshold=3e-7, coverage_weight=16.0), "rlhf": Abstaining(threshold=0.4)}
    make(tmp_path / "bundle", parts, SETTINGS.model_copy(update={"abstention": rules}))
    assert read_settings(tmp_path / "bundle").abstention == rules


def test_a_bare_threshold_of_an_earlier_version_counts_no_coverage(bundle: Path) -> None:
    path = bundle / "settings.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "abstention": {"sft": 0.4, "rlhf": 1}}))
    assert read_settings(bundle).abstention == {
        "sft": Abstaining(threshold=0.4),
        "rlhf": Abstaining(threshold=1),
    }


def test_a_bundle_of_an_earlier_version_mixes_scores(bundle: Path) -> None:
    path = bundle / "settings.json"
    told = json.loads(path.read_text())
    assert told["retrieval"].pop("fusion")
    path.write_text(json.dumps(told))
    assert read_settings(bundle).retrieval == SETTINGS.retrieval


@pytest.mark.parametrize("rule", [{"threshold": 2.0}, {"threshold": 0.4, "weight": 1.0}, "0.4", True, 1.5])
def test_a_rule_of_abstaining_that_is_none_is_refused(bundle: Path, rule: object) -> None:
    path = bundle / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "abstention": {"sft": rule}}))
    with pytest.raises(BundleError, match=r"abstention\.sft.*run dvc repro bundle"):
        read_settings(bundle)
