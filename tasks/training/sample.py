"""The tuned model's own answers as preferences: what the reward model has to tell apart."""

from pathlib import Path

from deploy.atomic import write_text
from deploy.engines.chat import load_tokenizer
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.methods.note import read_note
from tasks.rows.grounding import composer
from tasks.rows.records import GENERAL_TASK, Example, Preference
from tasks.rows.reports import Report, RowCount, write_report
from tasks.rows.skipped import leave_note
from tasks.rows.tables import read_table, write_table
from tasks.scoring.scores import checkable
from tasks.training.reinforcement.prompts import choose_prompts
from tasks.training.sampling.answers import Sampled, draw_answers
from tasks.training.sampling.judging import judged
from tasks.training.sampling.labelling import ANSWERS, lines
from tasks.training.settings import SampleSettings
from tasks.training.tuning.learned import read_learned

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
    figures: dict[str, object] = {}
    counts: list[RowCount] = []
    drawn: dict[str, list[Sampled]] = {split: [] for split in SPLITS}
    reason = _hindrance(found["train"], sft, settings)
    if reason:
        leave_note(samples, "sample", reason)
        figures["skipped"] = reason
    else:
        device = set_up_torch(run)
        tokenizer = load_tokenizer(base)
        assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
        by_score = settings.judge == "score"
        for split, count in zip(SPLITS, (settings.prompts, settings.validation_prompts), strict=True):
            parts = choose_prompts(
                found[split],
                count,
                assistant,
                tokenizer,
                longest=settings.max_length - settings.max_new_tokens,
                seed=run.seed,
                # People are shown the question alone, and could not tell that its evidence is hidden.
                withheld=settings.counterfactuals if by_score else {},
                checked=by_score,
            )
            prompts = [each for part in parts for each in part.rows]
            drawn[split] = draw_answers(prompts, base, sft, device, settings=settings, seed=run.seed)
            if split == "train":
                asked = {each.example.id for each in prompts}
                counts = [
                    row for part in parts if part.chosen for row in part.counted(reached=asked, used=asked)
                ]
        figures |= {**device.figures(), **_figures(drawn)}
    pairs = {
        split: judged(drawn[split], least=settings.least_difference) if settings.judge == "score" else []
        for split in SPLITS
    }
    for split in SPLITS:
        write_table(samples / split / "preferences.parquet", Preference, pairs[split])
        if not reason:
            figures[f"{split}_pairs"] = len(pairs[split])
    write_text(samples / ANSWERS, lines([each for split in SPLITS for each in drawn[split]]))
    write_report(report, Report(stage="sample", rows=counts, figures=figures))


def _hindrance(examples: list[Example], sft: Path, settings: SampleSettings) -> str:
    """Why nothing is drawn; empty: it is."""
    if not settings.enabled:
        return "sample.enabled is false in params.yaml"
    if not examples:
        return "there are no training questions that fine-tuning has not learned from"
    if settings.judge == "score" and not any(map(checkable, examples)):
        return "no rule checks the answers of these tasks; sample.judge: people lets people judge them"
    return read_note(sft).cannot.get("rlhf", "")


def _figures(drawn: dict[str, list[Sampled]]) -> dict[str, object]:
    """How many prompts were answered, and by how many different answers in the mean."""
    every = [each for part in drawn.values() for each in part]
    return {
        "prompts": len(every),
        "different_answers": round(sum(len(each.answers) for each in every) / max(len(every), 1), 3),
        "sure_prompts": sum(len(each.answers) < 2 for each in every),
    }
