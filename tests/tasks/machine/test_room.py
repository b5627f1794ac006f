"""Protects the refusal of a model that cannot fit: before it is loaded, with what would help."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tasks.errors import TrainingError
from tasks.machine import room
from tasks.machine.device import Device
from tasks.machine.room import require_room, weight_bytes
from tasks.methods.parts.base_model import load_base

CPU = Device(name="cpu", threads=1, precision="float32", attn_implementation="auto")


def test_the_bytes_are_those_of_the_tensors(tiny_base: Path) -> None:
    numbers = sum(tensor.numel() for tensor in load_file(tiny_base / "model.safetensors").values())
    assert weight_bytes(tiny_base, 2) == 2 * numbers


def test_a_model_that_fits_is_loaded_and_another_refused(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_base(tiny_base, CPU)
    monkeypatch.setattr(room, "available", lambda _: weight_bytes(tiny_base, 4) - 1)
    with pytest.raises(TrainingError, match=r"holds them whole in memory.*set run\.precision: bfloat16"):
        require_room(tiny_base, CPU, what="evaluate")
    with pytest.raises(TrainingError, match=r"training holds them whole"):
        load_base(tiny_base, CPU)
