"""Protects `threeply merge`: the folder alone answers as base and adapter do together."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from deploy.engines.chat import load_tokenizer
from deploy.engines.local import TransformersEngine
from deploy.errors import EngineError
from flows.merging import merge


@pytest.fixture
def root(tmp_path: Path, tiny_base: Path, tiny_adapters: dict[str, Path]) -> Path:
    shutil.copytree(tiny_base, tmp_path / "data/models/base")
    shutil.copytree(tiny_adapters["sft"], tmp_path / "data/models/sft")
    return tmp_path


def test_the_folder_answers_as_base_and_adapter(root: Path, tiny_adapters: dict[str, Path]) -> None:
    merge(root, "sft", root / "merged")
    rows = torch.arange(3, 40)[None]
    with torch.no_grad():
        found = AutoModelForCausalLM.from_pretrained(root / "merged")(input_ids=rows).logits
    with TransformersEngine(root / "data/models/base", tiny_adapters).held("sft") as logits:
        torch.testing.assert_close(found, logits(rows), atol=2e-4, rtol=1e-3)
    assert (
        load_tokenizer(root / "merged").chat_template
        == load_tokenizer(root / "data/models/base").chat_template
    )


def test_what_is_not_there_or_there_already_is_told(root: Path) -> None:
    with pytest.raises(EngineError, match="rlhf is not there; make it with threeply run"):
        merge(root, "rlhf", root / "merged")
    with pytest.raises(EngineError, match="is there already; name a new folder"):
        merge(root, "sft", root)
