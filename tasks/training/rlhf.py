"""Reinforcement learning against the reward model: the policy tries answers and learns from their scores."""

from pathlib import Path

from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.rows.grounding import composer
from tasks.rows.records import GENERAL_TASK, Example
from tasks.rows.skipped import skip, skip_reason
from tasks.rows.tables import read_table
from tasks.training.ppo.learning import reinforce
from tasks.training.settings import RlhfSettings


def rlhf(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    reward: Path,
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
    """Train the fine-tuned adapter on by PPO; writes it, the curve, and what it gained on held-out prompts.

    Without a reward model it is skipped.

    Raises:
        TrainingError: there is nothing to train on, an adapter does not fit, or a loss is no number.
    """
    examples = [
        example
        for example in read_table(splits / "train" / "examples.parquet", Example)
        if example.task != GENERAL_TASK
    ]
    held_out = read_table(splits / "validation" / "examples.parquet", Example)
    if reason := skip_reason(reward):
        count = len(examples)
        skip("rlhf", reason, kind="example", entered=count, adapter=adapter, curve=curve, report=report)
        return
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    reinforced = reinforce(
        examples, held_out, assistant, base, sft, reward, work=work, run=run, settings=settings
    )
    reinforced.write(adapter, curve, report)
