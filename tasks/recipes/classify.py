"""Stage `classify`: a head for labels on the base model, trained by one of the adaptation methods."""

from collections.abc import Sequence
from pathlib import Path

from deploy.engines.chat import load_tokenizer
from deploy.messages import last_question
from tasks.errors import SourceError
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.methods.parts.base_model import load_base
from tasks.recipes.heads.metrics import label_figures
from tasks.recipes.settings import ClassifySettings
from tasks.rows.records import Example
from tasks.rows.reports import Report, row_counts, write_report
from tasks.rows.sampling import stratified
from tasks.rows.tables import read_table


def classify(
    splits: Path,
    base: Path,
    *,
    model: Path,
    report: Path,
    method: str,
    run: RunSettings,
    settings: ClassifySettings,
) -> None:
    """Train by one method on the rows whose answer is a label; writes adapter, head and what they score.

    Raises:
        SourceError: no row of the training or test split has the task.
        TrainingError: there are fewer than two labels, or the loss is no number.
    """
    from tasks.recipes.heads.headed import read_headed
    from tasks.recipes.heads.texts import last_states, tokens
    from tasks.recipes.heads.training import fit

    device = set_up_torch(run)
    every, train = _labelled(splits, "train", settings.task)
    _, test = _labelled(splits, "test", settings.task)
    drawn = stratified(train, settings.max_rows, key=_label, seed=run.seed)
    tokenizer = load_tokenizer(base)
    rows, cut = tokens(tokenizer, [_text(row) for row in drawn], max_length=settings.max_length)
    figures = fit(
        load_base(base, device),
        [_label(row) for row in drawn],
        reader=last_states,
        batch=lambda places: [rows[place] for place in places],
        lengths=[len(row) for row in rows],
        method=METHODS[method],
        chosen=settings.chosen(method),
        material=Material(tokenizer=tokenizer, rows=rows),
        settings=settings,
        run=run,
        device=device,
        folder=model,
    )
    # Measured is what was written: whoever reads it again gets these very figures.
    tuned = read_headed(load_base(base, device), model, last_states)
    asked, _ = tokens(tokenizer, [_text(row) for row in test], max_length=settings.max_length)
    predicted = tuned.predict(_batches(asked, settings.batch_size))
    gold, seen = [_label(row) for row in test], [_label(row) for row in drawn]
    figures |= {
        "method": method,
        **device.figures(),
        "unseen_labels": sum(label not in tuned.labels for label in gold),
        **label_figures(gold, predicted, trained_on=seen, seed=run.seed),
    }
    counts = row_counts(
        "example",
        every,
        trained=len(drawn),
        unused={"over classify.max_rows": len(train) - len(drawn), "of another task": every - len(train)},
        truncated={"longer than classify.max_length": cut},
    )
    write_report(report, Report(stage="classify", rows=counts, figures=figures))
    print(f"{method}: accuracy {figures['accuracy']:.3f}, majority {figures['majority']:.3f}")


def predict(base: Path, model: Path, texts: Sequence[str], *, run: RunSettings, max_length: int) -> list[str]:
    """The label of each text, by the adapter and head that the stage wrote into `model`."""
    from tasks.recipes.heads.headed import read_headed
    from tasks.recipes.heads.texts import last_states, tokens

    tuned = read_headed(load_base(base, set_up_torch(run)), model, last_states)
    rows, _ = tokens(load_tokenizer(base), texts, max_length=max_length)
    return tuned.predict(_batches(rows, 8))


def _labelled(splits: Path, split: str, task: str) -> tuple[int, list[Example]]:
    """How many examples a split has, and those of the task.

    Raises:
        SourceError: there are none of it.
    """
    examples = read_table(splits / split / "examples.parquet", Example)
    found = [example for example in examples if example.task == task]
    if not found:
        tasks = ", ".join(sorted({example.task for example in examples})) or "none at all"
        raise SourceError(
            f"{splits / split} has no rows of the task {task!r} (it has {tasks}); give your rows a column "
            "`task` with that word (sources/README.md), or name another in classify.task"
        )
    return len(examples), found


def _text(row: Example) -> str:
    return last_question(row.prompt)


def _label(row: Example) -> str:
    return row.answer


def _batches(rows: Sequence[Sequence[int]], size: int) -> list[Sequence[Sequence[int]]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
