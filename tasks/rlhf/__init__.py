"""Reinforcement learning against the reward model: the policy tries answers and learns from their scores."""

from collections.abc import Sequence
from pathlib import Path

from deploy.assistant import Assistant
from deploy.atomic import remove
from deploy.engines.chat import end_of_turn, load_tokenizer
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.device import set_up_torch
from tasks.errors import TrainingError
from tasks.grounding import composer
from tasks.omission import omission, omit
from tasks.records import GENERAL_TASK, Example
from tasks.reports import Report
from tasks.rlhf.prompts import check_cut, choose_prompts
from tasks.scores import score
from tasks.settings import RunSettings
from tasks.tables import read_table
from tasks.trained import Trained
from tasks.training_settings import RlhfSettings


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

    Without a reward model it is left out.

    Raises:
        TrainingError: there is nothing to train on, an adapter does not fit, or a loss is no number.
    """
    examples = [
        example
        for example in read_table(splits / "train" / "examples.parquet", Example)
        if example.task != GENERAL_TASK
    ]
    held_out = read_table(splits / "validation" / "examples.parquet", Example)
    if reason := omission(reward):
        count = len(examples)
        omit("rlhf", reason, kind="example", entered=count, adapter=adapter, curve=curve, report=report)
        return
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    reinforced = reinforce(
        examples, held_out, assistant, base, sft, reward, work=work, run=run, settings=settings
    )
    reinforced.write(adapter, curve, report)


def reinforce(
    examples: Sequence[Example],
    held_out: Sequence[Example],
    assistant: Assistant,
    base: Path,
    sft: Path,
    reward: Path,
    *,
    work: Path,
    run: RunSettings,
    settings: RlhfSettings,
) -> Trained:
    """The policy that starts as `sft` and learns from `reward` on prompts of `examples`.

    `work` keeps the states to go on from.

    Raises:
        TrainingError: there is nothing to train on, an adapter does not fit, or a loss is no number.
    """
    import torch

    from tasks.rlhf.curve import curve_lines
    from tasks.rlhf.heldout import answer, compare
    from tasks.rlhf.loop import batch, in_batches, train
    from tasks.rlhf.policy import load_actors
    from tasks.rlhf.trainer import Trainer

    device = set_up_torch(run)
    tokenizer = load_tokenizer(base)
    end = end_of_turn(tokenizer)
    longest = settings.max_length - settings.max_new_tokens
    needed = settings.updates * settings.drawn_prompts
    training = choose_prompts(examples, needed, assistant, tokenizer, longest=longest, seed=run.seed)
    checking = choose_prompts(
        held_out, settings.heldout_prompts, assistant, tokenizer, longest=longest, seed=run.seed
    )
    for split, prompts in (("train", training), ("validation", checking)):
        if not prompts.tokens:
            raise TrainingError(
                f"none of the {prompts.entered} examples of the {split} split has a prompt of at most "
                f"{longest} tokens; add rows or raise rlhf.max_length"
            )
    check_cut(training, limit=settings.max_cut, max_length=settings.max_length)
    actors = load_actors(base, sft, reward, device, trained_layers=settings.trained_layers)
    print(f"{actors.decoder.split} layers run once for policy, reference and reward model", flush=True)
    trainer = Trainer(actors, settings, end=end, generator=torch.Generator().manual_seed(run.seed))
    before = answer(actors, checking.tokens, settings, end=end)
    batches = in_batches(training.tokens, settings, seed=run.seed)
    course = train(trainer, batches, settings, work=work)
    after = answer(actors, checking.tokens, settings, end=end)
    stopped = course.stopped
    if after.kl > settings.kl_limit:
        # The state after the last update had not been measured before.
        trainer.restore()
        after, stopped = answer(actors, checking.tokens, settings, end=end), "kl_limit"

    def quality(row: int, response: Sequence[int]) -> float:
        return score(checking.examples[row], tokenizer.decode(response, skip_special_tokens=True).strip())

    heldout = compare(before, after, quality, seed=run.seed)
    kept = "policy"
    if settings.keep == "better" and heldout["task_score_difference"]["mean"] < 0.0:
        # Chosen by held-out prompts of the validation split; the test questions have no say in it.
        trainer.reset()
        kept = "sft"
        print("the policy answers held-out prompts worse than before: the sft model is kept", flush=True)
    folder = work / "adapter"
    remove(folder)
    actors.save_adapter(folder)
    updates = len(course.curve)
    drawn = [batch(batches, line.update, settings) for line in course.curve]
    learned = [
        prompts[place] for prompts, line in zip(drawn, course.curve, strict=True) for place in line.learned
    ]
    figures = {
        **device.figures(),
        "stopped": stopped,
        "updates": updates,
        "rollouts": sum(map(len, drawn)) * settings.responses,
        "learned_rollouts": len(learned) * settings.responses,
        "shared_layers": actors.decoder.split,
        "trainable_parameters": sum(p.numel() for p in actors.parameters().values()),
        "heldout": heldout,
        "kept": kept,
    }
    reached = {prompt for prompts in drawn for prompt in prompts}
    counts = training.account(reached=len(reached), used=len(set(learned)))
    return Trained(
        adapter=folder,
        curve=curve_lines(course.curve),
        report=Report(stage="rlhf", rows=counts, figures=figures),
    )
