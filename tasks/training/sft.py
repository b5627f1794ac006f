"""Supervised fine-tuning: teaches the model to answer from its sources, to cite them and to abstain.

Which of its weights learn, or what is added to it, is the choice of a method (`tasks.methods`).
"""

from dataclasses import replace
from pathlib import Path

from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.memory import folder_bytes
from tasks.machine.process import is_first
from tasks.machine.settings import RunSettings
from tasks.rows.grounding import composer
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.training.choice import read_choice, settled
from tasks.training.settings import AUTO, SftSettings
from tasks.training.tuning.documents import documents_in
from tasks.training.tuning.tuning import fine_tune

__all__ = ["fine_tune", "sft"]


def sft(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    choice: Path,
    *,
    adapter: Path,
    curve: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: SftSettings,
) -> None:
    """Adapt the base to grounded examples; writes the adapter, the loss curve and the row accounting.

    The method is that of params.yaml or, where that says auto, the one in `choice`.

    Raises:
        TrainingError: there is nothing to train on, or the loss is no number.
    """
    examples = read_table(splits / "train" / "examples.parquet", Example)
    held_out = read_table(splits / "validation" / "examples.parquet", Example)
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    found = read_choice(choice) if settings.method == AUTO else None
    chosen = settled(settings, found)
    held = folder_bytes(embedder) + folder_bytes(knowledge)
    tuned = fine_tune(
        examples,
        held_out,
        assistant,
        base,
        work=work,
        run=run,
        settings=chosen,
        documents=documents_in(splits, chosen),
        held=held,
    )
    if found:
        figures = {**tuned.report.figures, "searched": found.evidence()}
        tuned = replace(tuned, report=replace(tuned.report, figures=figures))
    if is_first():
        tuned.write(adapter, curve, report)
