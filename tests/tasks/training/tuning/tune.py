"""Fine-tunes tiny models as a process: `python tune.py EXAMPLES HELD_OUT BASE FOLDER SETTINGS...`.

For each file of settings, FOLDER gets the adapter and the curve under its name. A file called `cut-...` is
trained by a run that is cut short, and by another one that goes on.
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.machine.process import is_first, leave_processes
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.settings import Settings
from tasks.training.trained import Trained
from tasks.training.tuning.tuning import fine_tune
from tests.deploy.knowledge.listed import reader

CUT, STEP = "cut-", 3


class CutShortError(KeyboardInterrupt):
    """The run was cut short."""


def tune(
    examples: Sequence[Example], held_out: Sequence[Example], base: Path, work: Path, settings: Settings
) -> Trained:
    """Fine-tune with one source that every question finds."""
    work.mkdir(exist_ok=True)
    return fine_tune(examples, held_out, reader(), base, work=work, run=settings.run, settings=settings.sft)


@contextmanager
def cut_short() -> Iterator[None]:
    """A block in which training is cut short at STEP, in every process; what learns is float32 until then."""
    import torch

    from tasks.training.tuning.trainer import AnswerTrainer

    plain = AnswerTrainer.training_step

    def interrupted(self: Any, *arguments: Any, **named: Any) -> Any:
        learning = {part.dtype for part in self.model.parameters() if part.requires_grad}
        assert learning == {torch.float32}, learning
        if self.state.global_step == STEP:
            raise CutShortError
        return plain(self, *arguments, **named)

    AnswerTrainer.training_step = interrupted
    try:
        yield
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
    *tables, base, folder = (Path(word) for word in sys.argv[1:5])
    rows, held_out = (read_table(table, Example) for table in tables)
    for file in map(Path, sys.argv[5:]):
        checked = Settings.model_validate_json(file.read_text(encoding="utf-8"), strict=False)
        given = (rows, held_out, base, folder / f"work-{file.stem}", checked)
        if file.stem.startswith(CUT):
            with cut_short():
                tune(*given)
        tuned = tune(*given)
        if checked.sft.deepspeed:
            forget_deepspeed()
        if is_first():
            shutil.copytree(tuned.adapter, folder / file.stem)
            (folder / file.stem).with_suffix(".csv").write_text(tuned.curve, encoding="utf-8")
    leave_processes()
