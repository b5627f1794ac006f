"""Protects loading: code that comes along with weights is never run, and nobody is asked whether to."""

import json
import shutil
from pathlib import Path

import pytest

from deploy.engines.loading import load_model
from deploy.errors import EngineError

CODE = """
from pathlib import Path
Path("{trace}").write_text("it ran")
from transformers import LlamaForCausalLM as Model, LlamaConfig as Config
"""


@pytest.mark.parametrize("model_type", ["llama", "of_its_own"])
def test_code_beside_the_weights_is_never_run(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_type: str
) -> None:
    def asked(*_: object) -> str:
        raise AssertionError("somebody at the terminal was asked")

    monkeypatch.setattr("builtins.input", asked)
    base, trace = tmp_path / "base", tmp_path / "trace"
    shutil.copytree(tiny_base, base)
    (base / "own.py").write_text(CODE.format(trace=trace), encoding="utf-8")
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config |= {
        "model_type": model_type,
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"},
    }
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if model_type == "llama":  # transformers knows it by itself
        assert load_model(base, dtype="float32", device="cpu").config.model_type == "llama"
    else:
        with pytest.raises(EngineError, match="no model can be read from"):
            load_model(base, dtype="float32", device="cpu")
    assert not trace.exists()
