"""Protects the choice of a number format: what a device lacks is never taken, and asked for it is named."""

import pytest
import torch

from deploy.engines import precision
from deploy.engines.precision import choose_device
from deploy.errors import EngineError


@pytest.fixture
def turing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU without bfloat16, as none is here."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")


@pytest.mark.usefixtures("turing")
def test_a_gpu_without_bfloat16_takes_float32_and_refuses_the_other_by_name() -> None:
    assert choose_device("auto") == choose_device("float32") == ("cuda", "float32")
    with pytest.raises(
        EngineError, match=r"run\.precision is bfloat16, which Tesla T4 has not .*auto or float32"
    ):
        choose_device("bfloat16")


@pytest.mark.usefixtures("turing")
def test_a_gpu_that_has_it_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert choose_device("auto") == choose_device("bfloat16") == ("cuda", "bfloat16")


@pytest.mark.parametrize(("fast", "chosen"), [(False, "float32"), (True, "bfloat16")])
def test_a_cpu_takes_what_is_fast_on_it_and_can_be_told_otherwise(
    fast: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: fast)
    assert choose_device("auto") == ("cpu", chosen)
    assert [choose_device(one) for one in ("float32", "bfloat16")] == [
        ("cpu", "float32"),
        ("cpu", "bfloat16"),
    ]
