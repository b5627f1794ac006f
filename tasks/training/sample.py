"""The tuned model's own answers as preferences: what the reward model has to tell apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.atomic import write_text
from deploy.engines.chat import load_tokenizer
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.methods.note import read_note
from tasks.rows.grounding import composer
from tasks.rows.learned import read_learned
from tasks.rows.records import GENERAL_TASK, Example, Preference
from tasks.rows.reports import Report, RowCount, row_counts, write_report
from tasks.rows.skipped import leave_note
from tasks.rows.tables import read_table, write_table
from tasks.scoring.scores import checkable
from tasks.training.reinforcement.prompts import Prompts, choose_prompts
from tasks.training.sampling.answers import Sampled, draw_answers
from tasks.training.sampling.judging import judged
from tasks.training.sampling.labelling import ANSWERS, lines
from tasks.training.settings import SampleSettings

SPLITS = ("train", "validation")


def sample(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    *,
    samples: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: SampleSettings,
) -> None:
    """Draw answers of the fine-tuned model, and write which of them are better, as the task's score says.

    They answer training prompts that fine-tuning did not learn from, and validation prompts. Where people are
    to judge, the answers are written for them instead. It is skipped where the settings say so, where there
    are no such prompts, and after a method that it cannot go on from.

    Raises:
        TrainingError: the adapter does not fit, or the base cannot be cut.
    """
    learned = read_learned(sft) if settings.enabled else frozenset()
    found = {
        split: [
            example
            for example in read_table(splits / split / "examples.parquet", Example)
            if example.task != GENERAL_TASK and example.id not in learned
        ]
        for split in SPLITS
    }
    if reason := _hindrance(found["train"], sft, settings):
        leave_note(samples, "sample", reason)
        _write(samples, {split: [] for split in SPLITS}, [])
        write_report(report, Report(stage="sample", figures={"skipped": reason}))
        return
    device, by_score = set_up_torch(run), settings.judge == "score"
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    drawn: dict[str, list[Sampled]] = {}
    counts: list[RowCount] = []
    for split, count in zip(SPLITS, (settings.prompts, settings.validation_prompts), strict=True):
        parts = choose_prompts(
            found[split],
            count,
            assistant,
            load_tokenizer(base),
            longest=settings.max_length - settings.max_new_tokens,
            seed=run.seed,
            # People are shown the question alone, and could not tell that its evidence is hidden.
            withheld=settings.counterfactuals if by_score else {},
            checked=settings.leaves_out_words,
        )
        prompts = [each for part in parts for each in part.rows]
        drawn[split] = draw_answers(prompts, base, sft, device, settings=settings, seed=run.seed)
        if split == "train":
            counts = [row for part in parts if part.chosen for row in _counted(part)]
    pairs = {
        split: judged(answers, least=settings.least_difference) if by_score else []
        for split, answers in drawn.items()
    }
    every = [each for answers in drawn.values() for each in answers]
    _write(samples, pairs, every)
    figures = {
        **device.figures(),
        "prompts": len(every),
        "different_answers": round(sum(len(each.answers) for each in every) / max(len(every), 1), 3),
        "sure_prompts": sum(len(each.answers) < 2 for each in every),
        **{f"{split}_pairs": len(rows) for split, rows in pairs.items()},
    }
    write_report(report, Report(stage="sample", rows=counts, figures=figures))


def _write(samples: Path, pairs: Mapping[str, Sequence[Preference]], answered: Sequence[Sampled]) -> None:
    """Write the pairs of each split, and all answers for people to look at."""
    for split, rows in pairs.items():
        write_table(samples / split / "preferences.parquet", Preference, rows)
    write_text(samples / ANSWERS, lines(answered))


def _counted(prompts: Prompts) -> list[RowCount]:
    """What became of the examples of one kind."""
    return row_counts(
        prompts.kind,
        prompts.entered,
        kept=len(prompts.rows),
        dropped=dict(prompts.dropped),
        unused={"over sample.prompts": prompts.entered - prompts.chosen},
    )


def _hindrance(examples: list[Example], sft: Path, settings: SampleSettings) -> str:
    """Why nothing is drawn; empty: it is."""
    if not settings.enabled:
        return "sample.enabled is false in params.yaml"
    if not examples:
        return "there are no training questions that fine-tuning has not learned from"
    if settings.judge == "score" and not any(map(checkable, examples)):
        return "no rule checks the answers of these tasks; sample.judge: people lets people judge them"
    return read_note(sft).cannot.get("rlhf", "")
