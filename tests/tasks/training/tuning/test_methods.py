"""Protects training by every method: cut short it ends with the same bytes, and what it leaves is served."""

from pathlib import Path
from typing import Any

import pytest

from deploy.adapters.reading import adapter_files
from deploy.assistant import Assistant
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.knowledge.hits import Hit
from deploy.messages import Message
from deploy.prompts.template import load_template
from tasks.methods import METHODS
from tasks.methods.note import read_note
from tasks.rows.records import Example
from tasks.settings import Settings
from tasks.training.trained import Trained
from tasks.training.tuning.tuning import fine_tune
from tests.deploy.knowledge.listed import ListedKnowledge
from tests.tasks.methods.conftest import MISSING

SMALL: dict[str, dict[str, Any]] = {
    "adapter": {"width": 8},
    "lora": {"rank": 4},
    "qlora": {"rank": 4},
    "prefix": {"tokens": 4, "encoder_width": 16},
    "prompt": {"tokens": 4},
    "p_tuning_v1": {"tokens": 4, "encoder_width": 16},
    "p_tuning_v2": {"tokens": 4},
    "pruning": {"rank": 4},
    "lora_pro": {"rank": 4},
    "hybrid": {"rank": 4, "width": 8, "prefix": 3},
}
HIT = Hit(chunk=1, document="svm.SVC", uri="py:svm.SVC", title="svm.SVC", text="C=1.0 : float", score=1.0)


def tune(method: str, settings: Settings, examples: list[Example], base: Path, work: Path) -> Trained:
    kind = METHODS[method].settings
    few = {"method": method, method: kind(**SMALL.get(method, {})), "max_rows": 16, "checkpoints": 4}
    work.mkdir(exist_ok=True)
    return fine_tune(
        examples[:42],
        examples[42:],
        Assistant(None, ListedKnowledge([HIT]), load_template("assistant"), settings.generation),
        base,
        work=work,
        run=settings.run,
        settings=settings.sft.model_copy(update=few),
    )


def contents(trained: Trained) -> dict[str, bytes]:
    return {file: (trained.adapter / file).read_bytes() for file in adapter_files(trained.adapter)}


@pytest.mark.parametrize("method", sorted(METHODS.keys() - MISSING))
def test_an_interrupted_run_ends_with_the_same_bytes(
    method: str,
    settings: Settings,
    examples: list[Example],
    tiny_base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tasks.training.tuning.trainer import AnswerTrainer

    whole = tune(method, settings, examples, tiny_base, tmp_path / "whole")

    plain = AnswerTrainer.training_step

    def interrupted(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return plain(self, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(AnswerTrainer, "training_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(method, settings, examples, tiny_base, tmp_path / "cut")
    capsys.readouterr()
    resumed = tune(method, settings, examples, tiny_base, tmp_path / "cut")

    assert "going on from step" in capsys.readouterr().out
    assert contents(resumed) == contents(whole)
    assert resumed.curve == whole.curve
    assert ("ppo" in read_note(whole.adapter).cannot) == ("ppo" in METHODS[method].cannot)

    engine = TransformersEngine(tiny_base, {"sft": whole.adapter})
    talk = [Message("user", "In `svm.SVC`, what is the default of `C`?")]
    [answer] = engine.generate([talk], model="sft", sampling=Sampling(max_new_tokens=4))
    assert answer.completion_tokens > 0
