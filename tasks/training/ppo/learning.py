"""Trains a policy by PPO: prompts, actors, updates, and what it gained on held-out prompts."""

from collections.abc import Sequence
from pathlib import Path

from deploy.assistant import Assistant
from deploy.atomic import remove
from deploy.engines.chat import end_of_turn, load_tokenizer
from tasks.errors import TrainingError
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.records import Example
from tasks.rows.reports import Report
from tasks.scoring.scores import score
from tasks.training.ppo.prompts import choose_prompts
from tasks.training.settings import RlhfSettings
from tasks.training.trained import Trained


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

    from tasks.training.ppo.heldout import answer, compare
    from tasks.training.ppo.loop import batch, curve_lines, in_batches, train
    from tasks.training.ppo.policy import load_actors
    from tasks.training.ppo.trainer import Trainer

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
    training.require_few_cut(limit=settings.max_cut, max_length=settings.max_length)
    actors = load_actors(
        base,
        sft,
        reward,
        device,
        trained_layers=settings.trained_layers,
        longest=settings.max_length,
    )
    print(f"{actors.decoder.split} layers run once for policy, reference and reward model", flush=True)
    trainer = Trainer(actors, settings, end=end, generator=torch.Generator().manual_seed(run.seed))
    before = answer(actors, checking.tokens, settings, end=end)
    batches = in_batches(training.tokens, settings, seed=run.seed)
    result = train(trainer, batches, settings, work=work)
    after = answer(actors, checking.tokens, settings, end=end)
    stopped = result.stopped
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
    updates = len(result.curve)
    drawn = [batch(batches, line.update, settings) for line in result.curve]
    learned = [
        prompts[place] for prompts, line in zip(drawn, result.curve, strict=True) for place in line.learned
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
    counts = training.counted(reached=len(reached), used=len(set(learned)))
    return Trained(
        adapter=folder,
        curve=curve_lines(result.curve),
        report=Report(stage="rlhf", rows=counts, figures=figures),
    )
