"""The page for people: the ledger on top, and below it everything that it rests on."""

from pathlib import Path

from deploy.atomic import write_text
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.report.inputs import read_inputs
from tasks.report.page import render
from tasks.settings import (
    BaseSettings,
    BundleSettings,
    CleanSettings,
    CollectSettings,
    EvaluateSettings,
    GateSettings,
    IndexSettings,
    ReportSettings,
    RunSettings,
    SearchSettings,
    SplitSettings,
    ValidateSettings,
)
from tasks.timings import read_timings
from tasks.training_settings import RewardSettings, RlhfSettings, SftSettings


def report(
    *reports: Path,
    page: Path,
    run: RunSettings,
    base: BaseSettings,
    collect: CollectSettings,
    clean: CleanSettings,
    validate: ValidateSettings,
    gate: GateSettings,
    split: SplitSettings,
    index: IndexSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    search: SearchSettings,
    sft: SftSettings,
    reward: RewardSettings,
    rlhf: RlhfSettings,
    evaluate: EvaluateSettings,
    bundle: BundleSettings,
    settings: ReportSettings,
) -> None:
    """Write one HTML file that needs nothing beside it, from the files of `data/reports` by their names.

    The times of the stages are taken from stages.json beside the page if it is there. They differ from run
    to run, so they are no dependency: the page shows those of the run that wrote it.

    Raises:
        SourceError: a report cannot be read.
    """
    sections = {
        "run": run,
        "base": base,
        "collect": collect,
        "clean": clean,
        "validate": validate,
        "gate": gate,
        "split": split,
        "index": index,
        "retrieval": retrieval,
        "prompt": prompt,
        "generation": generation,
        "search": search,
        "sft": sft,
        "reward": reward,
        "rlhf": rlhf,
        "evaluate": evaluate,
        "bundle": bundle,
        "report": settings,
    }
    timings = read_timings(page.parent / "stages.json")
    html = render(read_inputs(reports), settings=sections, timings=timings, num_examples=settings.examples)
    write_text(page, html)
