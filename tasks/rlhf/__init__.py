"""Reinforcement learning against the reward model: the policy tries answers and learns from their scores."""

from collections.abc import Sequence
from pathlib import Path

from deploy.assistant import Assistant
from deploy.atomic import write_text
from deploy.engines.chat import end_of_turn, load_tokenizer
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.device import set_up_torch
from tasks.errors import TrainingError
from tasks.records import Example
from tasks.reports import Report, write_report
from tasks.rlhf.prompts import choose_prompts
from tasks.scores import score
from tasks.settings import RlhfSettings, RunSettings
from tasks.tables import read_table


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

    Raises:
        TrainingError: there is nothing to train on, an adapter does not fit, or a loss is no number.
    """
    import torch

    from tasks.rlhf.curve import curve_lines
    from tasks.rlhf.heldout import answer, compare
    from tasks.rlhf.loop import in_batches, train
    from tasks.rlhf.policy import load_actors
    from tasks.rlhf.trainer import Trainer

    device = set_up_torch(run)
    tokenizer = load_tokenizer(base)
    end = end_of_turn(tokenizer)
    assistant = Assistant(
        None, open_knowledge(knowledge, embedder, retrieval), load_template(prompt.template), generation
    )
    longest = settings.max_length - settings.max_new_tokens
    training, heldout = (
        choose_prompts(
            read_table(splits / name / "examples.parquet", Example),
            count,
            assistant,
            tokenizer,
            longest=longest,
            seed=run.seed,
        )
        for name, count in (
            ("train", settings.updates * settings.batch_size),
            ("validation", settings.heldout_prompts),
        )
    )
    for name, prompts in (("train", training), ("validation", heldout)):
        if not prompts.tokens:
            raise TrainingError(
                f"none of the {prompts.entered} examples of the {name} split has a prompt of at most "
                f"{longest} tokens; add rows or raise rlhf.max_length"
            )
    actors = load_actors(base, sft, reward, device, trained_layers=settings.trained_layers)
    print(f"layers 1-{actors.decoder.split} run once for policy, reference and reward model", flush=True)
    trainer = Trainer(actors, settings, end=end, generator=torch.Generator().manual_seed(run.seed))
    before = answer(actors, heldout.tokens, settings, end=end)
    batches = in_batches(training.tokens, settings, seed=run.seed)
    course = train(trainer, batches, settings, work=work)
    after = answer(actors, heldout.tokens, settings, end=end)
    stopped = course.stopped
    if after.kl > settings.kl_limit:
        # The state after the last update had not been measured before.
        trainer.restore()
        after, stopped = answer(actors, heldout.tokens, settings, end=end), "kl_limit"

    def quality(row: int, response: Sequence[int]) -> float:
        return score(heldout.examples[row], tokenizer.decode(response, skip_special_tokens=True).strip())

    figures = compare(before, after, quality, seed=run.seed)
    actors.save_adapter(adapter)
    write_text(curve, curve_lines(course.curve))
    sampled = len(course.curve) * settings.batch_size
    write_report(
        report,
        Report(
            stage="rlhf",
            rows=training.account(len(set(batches[:sampled]))),
            figures={
                **device.figures(),
                "stopped": stopped,
                "updates": len(course.curve),
                "rollouts": sampled,
                "shared_layers": actors.decoder.split,
                "trainable_parameters": sum(p.numel() for p in actors.parameters().values()),
                "heldout": figures,
            },
        ),
    )
