"""The reward model: learns from pairs of answers which one is better, and says how well it knows."""

from pathlib import Path

from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.methods.note import read_note
from tasks.rows.grounding import composer
from tasks.rows.records import Preference
from tasks.rows.skipped import skip
from tasks.rows.tables import read_table
from tasks.training.rewards.learning import Opinions, learn_rewards
from tasks.training.settings import RewardSettings


def reward(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    samples: Path,
    *,
    adapter: Path,
    curve: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: RewardSettings,
) -> None:
    """Train a reward model that starts from the sft adapter; writes it, its curve and its accuracy.

    Without preference pairs, where the settings say so, or after a method that it cannot go on from, it is
    skipped, and with it RLHF.

    Raises:
        TrainingError: there are no pairs to train on, the sft adapter does not fit, or the loss is no number.
    """
    preferences, held_out = (
        Opinions(
            given=read_table(splits / split / "preferences.parquet", Preference),
            sampled=read_table(samples / split / "preferences.parquet", Preference),
        )
        for split in ("train", "validation")
    )
    unseen = Opinions(given=read_table(splits / "test" / "preferences.parquet", Preference))
    reason = "" if len(preferences) else "there are no preference pairs to learn from"
    if not settings.enabled:
        reason = "reward.enabled is false in params.yaml"
    if reason := reason or read_note(sft).cannot.get("rlhf", ""):
        count = len(preferences)
        skip("reward", reason, kind="preference", entered=count, adapter=adapter, curve=curve, report=report)
        return
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    learned = learn_rewards(
        preferences, held_out, unseen, assistant, base, sft, work=work, run=run, settings=settings
    )
    learned.write(adapter, curve, report)
