"""Fine-tunes a tiny model as a process: `python tune.py EXAMPLES HELD_OUT BASE WORK OUT SETTINGS`."""

import shutil
import sys
from pathlib import Path

from deploy.assistant import Assistant
from deploy.knowledge.hits import Hit
from deploy.knowledge.listed import ListedKnowledge
from deploy.prompts.template import load_template
from tasks.process import is_first
from tasks.records import Example
from tasks.settings import Settings
from tasks.sft import fine_tune
from tasks.tables import read_table
from tasks.trained import Trained

HIT = Hit(chunk=1, document="svm.SVC", uri="py:svm.SVC", title="svm.SVC", text="C=1.0 : float", score=1.0)


def tune(examples: Path, held_out: Path, base: Path, work: Path, settings: Settings) -> Trained:
    """Fine-tune with one source that every question finds."""
    return fine_tune(
        read_table(examples, Example),
        read_table(held_out, Example),
        Assistant(None, ListedKnowledge([HIT]), load_template("assistant"), settings.generation),
        base,
        work=work,
        run=settings.run,
        settings=settings.sft,
    )


if __name__ == "__main__":
    rows, held_out, base, work, out, written = (Path(word) for word in sys.argv[1:])
    checked = Settings.model_validate_json(written.read_text(encoding="utf-8"), strict=False)
    tuned = tune(rows, held_out, base, work, checked)
    if is_first():
        shutil.copytree(tuned.adapter, out)
        out.with_suffix(".csv").write_text(tuned.curve, encoding="utf-8")
