"""Reinforcement learning against the reward model: the policy tries answers and learns from their scores."""

from collections.abc import Sequence
from pathlib import Path

from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.methods.note import read_note
from tasks.rows.grounding import composer
from tasks.rows.records import GENERAL_TASK, Example, Preference
from tasks.rows.skipped import skip, skip_reason
from tasks.rows.tables import read_table
from tasks.scoring.scores import checkable
from tasks.training.reinforcement.learning import reinforce
from tasks.training.rewards.gate import closed
from tasks.training.rlhf_settings import MODEL, RlhfSettings


def rlhf(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    samples: Path,
    reward: Path,
    functions: Path,
    *,
    adapter: Path,
    curve: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: RlhfSettings,
) -> None:
    """Train the fine-tuned adapter on by what its answers are worth.

    Writes it, the curve, and what it gained on held-out prompts. `functions` is the folder of the user's
    reward functions. It is skipped where the settings say so, after a method that it cannot go on from, and
    without the reward model that it is to be judged by or the pairs that it is to learn from.

    Raises:
        TrainingError: there is nothing to train on, an adapter does not fit, or a loss is no number.
    """
    examples = [
        example
        for example in read_table(splits / "train" / "examples.parquet", Example)
        if example.task != GENERAL_TASK
    ]
    preferences = [
        row
        for folder in (splits, samples)
        for row in read_table(folder / "train" / "preferences.parquet", Preference)
    ]
    held_out = read_table(splits / "validation" / "examples.parquet", Example)
    if reason := _hindrance(examples, preferences, sft, reward, settings):
        count = len(examples)
        skip("rlhf", reason, kind="example", entered=count, adapter=adapter, curve=curve, report=report)
        return
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    reinforced = reinforce(
        examples,
        preferences,
        held_out,
        assistant,
        base,
        sft,
        reward,
        functions,
        work=work,
        run=run,
        settings=settings,
    )
    reinforced.write(adapter, curve, report)


def _hindrance(
    examples: Sequence[Example],
    preferences: Sequence[Preference],
    sft: Path,
    reward: Path,
    settings: RlhfSettings,
) -> str:
    """Why there is no RLHF; empty: there is."""
    if not settings.enabled:
        return "rlhf.enabled is false in params.yaml"
    if settings.learns_from == "preferences" and not preferences:
        return (
            "rlhf.learns_from is preferences, and there are none: add a source of pairs, let the stage "
            "`sample` judge answers (sample.enabled), or set learns_from to samples"
        )
    if settings.by_rules and not any(map(checkable, examples)):
        return "no rule checks the answers of these tasks; give rlhf.rewards the reward model or a function"
    if MODEL in settings.weighing and (reason := skip_reason(reward)):
        return f"rlhf.rewards asks the reward model, and {reason}"
    if MODEL in settings.weighing and (reason := closed(reward)):
        return (
            f"the reward model is not to be trusted: {reason}. Add preferences, or raise reward.max_rows or "
            "reward.epochs; reward.gate: false optimises for it all the same"
        )
    return read_note(sft).cannot.get("rlhf", "")
