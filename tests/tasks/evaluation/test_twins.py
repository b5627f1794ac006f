"""Protects that a model is spared only where it is, number by number, one that was asked already."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from deploy.adapters.names import CONFIG, WEIGHTS
from tasks.evaluation.twins import twins


def adapter(folder: Path, *, up: float = 1.0, **config: Any) -> Path:
    folder.mkdir()
    told = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "task_type": folder.name, **config}
    (folder / CONFIG).write_text(json.dumps(told))
    tensors = {"q.lora_A.weight": torch.ones(2, 3), "q.lora_B.weight": torch.full((3, 2), up)}
    save_file(tensors, folder / WEIGHTS, metadata={"made_by": folder.name})
    return folder


def test_the_same_numbers_are_the_same_model_whatever_lies_beside_them(tmp_path: Path) -> None:
    sft, rlhf = adapter(tmp_path / "sft"), adapter(tmp_path / "rlhf")
    (rlhf / "value_head.safetensors").write_bytes(b"other")
    assert twins({"sft": sft, "rlhf": rlhf}) == {"rlhf": "sft"}


@pytest.mark.parametrize("other", [{"up": 1.0001}, {"lora_alpha": 5}, {"use_rslora": True}], ids=str)
def test_another_number_is_another_model(other: dict[str, Any], tmp_path: Path) -> None:
    folders = {"sft": adapter(tmp_path / "sft"), "rlhf": adapter(tmp_path / "rlhf", **other)}
    assert twins(folders) == {}


def test_other_kinds_and_missing_files_are_never_spared(tmp_path: Path) -> None:
    kinds = [adapter(tmp_path / name, peft_type="PROMPT_TUNING") for name in ("sft", "rlhf")]
    assert twins(dict(zip(("sft", "rlhf"), kinds, strict=True))) == {}
    assert twins({"sft": tmp_path / "none", "rlhf": tmp_path / "nowhere"}) == {}
