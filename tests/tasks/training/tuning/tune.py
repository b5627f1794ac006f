"""Fine-tunes tiny models as a process: `python tune.py EXAMPLES HELD_OUT BASE FOLDER SETTINGS...`.

For each file of settings, FOLDER gets the adapter and the curve under its name. A file called `cut-...` is
trained by a run that is cut short, and by another one that goes on.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from deploy.assistant import Assistant
from deploy.knowledge.hits import Hit
from deploy.prompts.template import load_template
from tasks.machine.process import is_first, leave_processes
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.settings import Settings
from tasks.training.trained import Trained
from tasks.training.tuning.tuning import fine_tune
from tests.deploy.knowledge.listed import ListedKnowledge

HIT = Hit(chunk=1, document="svm.SVC", uri="py:svm.SVC", title="svm.SVC", text="C=1.0 : float", score=1.0)
CUT, STEP = "cut-", 3


class CutShortError(Exception):
    """The run was cut short."""


def tune(examples: Path, held_out: Path, base: Path, work: Path, settings: Settings) -> Trained:
    """Fine-tune with one source that every question finds."""
    work.mkdir(exist_ok=True)
    return fine_tune(
        read_table(examples, Example),
        read_table(held_out, Example),
        Assistant(None, ListedKnowledge([HIT]), load_template("assistant"), settings.generation),
        base,
        work=work,
        run=settings.run,
        settings=settings.sft,
    )


def cut_short(*given: Any) -> None:
    """Fine-tune as far as STEP, in every process."""
    from tasks.training.tuning.trainer import AnswerTrainer

    plain = AnswerTrainer.training_step

    def interrupted(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.state.global_step == STEP:
            raise CutShortError
        return plain(self, *arguments, **named)

    AnswerTrainer.training_step = interrupted
    try:
        tune(*given)
    except CutShortError:
        return
    finally:
        AnswerTrainer.training_step = plain
    raise AssertionError("the run was not cut short")


def forget_deepspeed() -> None:
    """Take back what the libraries keep of a training under DeepSpeed for as long as the process lives."""
    from accelerate.state import AcceleratorState
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    AcceleratorState._reset_state(reset_partial_state=True)
    unset_hf_deepspeed_config()


if __name__ == "__main__":
    rows, held_out, base, folder, *files = (Path(word) for word in sys.argv[1:])
    for file in files:
        checked = Settings.model_validate_json(file.read_text(encoding="utf-8"), strict=False)
        given = (rows, held_out, base, folder / f"work-{file.stem}", checked)
        if file.stem.startswith(CUT):
            cut_short(*given)
        tuned = tune(*given)
        if checked.sft.deepspeed:
            forget_deepspeed()
        if is_first():
            shutil.copytree(tuned.adapter, folder / file.stem)
            (folder / file.stem).with_suffix(".csv").write_text(tuned.curve, encoding="utf-8")
    leave_processes()
