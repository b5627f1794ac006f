"""Protects training by every method: cut short it ends with the same bytes, and what it leaves is served."""

from pathlib import Path

import pytest

from benchmarks.models.families import SMALL_SETTINGS
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tasks.methods import METHODS
from tasks.methods.note import read_note
from tasks.rows.records import Example
from tasks.settings import Settings
from tasks.training.trained import Trained
from tests.contents import hashes
from tests.tasks.methods.conftest import MISSING
from tests.tasks.training.tuning.processes import changed
from tests.tasks.training.tuning.tune import cut_short, tune


def tune_by(method: str, settings: Settings, examples: list[Example], base: Path, work: Path) -> Trained:
    kind = METHODS[method].settings
    few = {"method": method, method: kind(**SMALL_SETTINGS.get(method, {})), "max_rows": 16, "checkpoints": 4}
    return tune(examples[:42], examples[42:], base, work, changed(settings, **few))


# In bfloat16 one of each kind: whole weights, thin matrices, keys and values.
CASES = [(method, "float32") for method in sorted(METHODS.keys() - MISSING)]
CASES += [(method, "bfloat16") for method in ("full", "lora", "prefix")]


@pytest.mark.parametrize(("method", "precision"), CASES)
def test_an_interrupted_run_ends_with_the_same_bytes(
    method: str,
    precision: str,
    settings: Settings,
    examples: list[Example],
    tiny_base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"precision": precision})})
    whole = tune_by(method, settings, examples, tiny_base, tmp_path / "whole")

    with cut_short():
        tune_by(method, settings, examples, tiny_base, tmp_path / "cut")
    capsys.readouterr()
    resumed = tune_by(method, settings, examples, tiny_base, tmp_path / "cut")

    assert "going on from step" in capsys.readouterr().out
    assert hashes(resumed.adapter) == hashes(whole.adapter)
    assert resumed.curve == whole.curve
    assert ("rlhf" in read_note(whole.adapter).cannot) == ("rlhf" in METHODS[method].cannot)

    engine = TransformersEngine(tiny_base, {"sft": whole.adapter})
    talk = [Message("user", "In `svm.SVC`, what is the default of `C`?")]
    [answer] = engine.generate([talk], model="sft", sampling=Sampling(max_new_tokens=4))
    assert answer.completion_tokens > 0
