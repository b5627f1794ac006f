"""Trains a policy by reinforcement: prompts, actors, updates, and what it gained on held-out prompts."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.abstention import ABSTENTION
from deploy.assistant import Assistant
from deploy.atomic import remove
from deploy.engines.chat import answer_ids, end_of_turn, load_tokenizer
from tasks.errors import TrainingError
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.learned import write_learned
from tasks.rows.records import Example, Learned, Preference
from tasks.rows.reports import Report
from tasks.scoring.scores import checkable
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.pairs import choose_pairs
from tasks.training.reinforcement.prompts import Prompts, choose_prompts
from tasks.training.reinforcement.worth import Prompt, Worth, read_functions
from tasks.training.rlhf_settings import OURS, SCORE, RlhfSettings
from tasks.training.traces import traced
from tasks.training.trained import Trained

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def reinforce(
    examples: Sequence[Example],
    preferences: Sequence[Preference],
    held_out: Sequence[Example],
    assistant: Assistant,
    base: Path,
    sft: Path,
    reward: Path,
    functions: Path,
    *,
    work: Path,
    run: RunSettings,
    settings: RlhfSettings,
) -> Trained:
    """The policy that starts as `sft` and learns what answers are worth, on prompts of `examples`.

    Or on the answers of `preferences`, where the settings say so. `functions` is the folder of the user's
    reward functions; `work` keeps the states to go on from.

    Raises:
        TrainingError: there is nothing to train on, an adapter does not fit, or a loss is no number.
    """
    import torch

    from tasks.training.reinforcement.actors import load_actors
    from tasks.training.reinforcement.gathering import Sampler
    from tasks.training.reinforcement.heldout import Answers, answer, compare, gained
    from tasks.training.reinforcement.loop import Judged, curve_lines, in_order, reached, train
    from tasks.training.reinforcement.trainer import Trainer

    device = set_up_torch(run)
    tokenizer = load_tokenizer(base)
    end = end_of_turn(tokenizer)
    worth = Worth(
        weights=settings.rewards,
        decode=lambda tokens: tokenizer.decode(tokens, skip_special_tokens=True).strip(),
        functions=read_functions(functions, sorted(settings.weighing - OURS)),
    )
    parts = _training(examples, preferences, assistant, tokenizer, run=run, settings=settings)
    longest = settings.max_length - settings.max_new_tokens
    # With twins as in training: without them, to abstain more often would look worse than it is.
    checking = choose_prompts(
        held_out,
        settings.heldout_prompts,
        assistant,
        tokenizer,
        longest=longest,
        seed=run.seed,
        withheld=settings.counterfactuals,
        checked=settings.leaves_out_words,
    )
    training, checked = ([prompt for part in found for prompt in part.rows] for found in (parts, checking))
    for split, rows, entered in (
        ("train", training, parts[0].entered),
        ("validation", checked, checking[0].entered),
    ):
        if not rows:
            raise TrainingError(
                f"none of the {entered} rows of the {split} split has a prompt of at most {longest} tokens "
                "and a good answer; add rows or raise rlhf.max_length"
            )
    parts[0].require_few_cut(limit=settings.max_cut, max_length=settings.max_length)
    actors = load_actors(
        base,
        sft,
        reward if worth.asks_model else None,
        device,
        trained_layers=settings.trained_layers,
        longest=settings.max_length,
        has_values=ALGORITHMS[settings.algorithm].has_values,
    )
    print(f"{actors.decoder.split} layers run once for all models", flush=True)
    generator = torch.Generator().manual_seed(run.seed)
    sampler = Sampler(actors, worth, settings, end=end, generator=generator)
    trainer = Trainer(actors, sampler, settings)

    # The score is what the worth stands for, where a rule can tell it; of opinions nothing else is known.
    by_score = SCORE in settings.weighing or any(checkable(prompt.example) for prompt in checked)
    as_served = settings.heldout_as_served and by_score and _has_both_sorts(checked)
    abstention = answer_ids(tokenizer, ABSTENTION) if as_served else ()

    def answers() -> Answers:
        return answer(actors, checked, worth, settings, end=end, abstention=abstention)

    judged: list[Answers] = []

    def judge() -> Judged:
        judged.append(now := answers())
        fell = gained(before.goals(by_score), now.goals(by_score), seed=run.seed).high < 0.0
        return Judged(score=now.goal(by_score), kl=now.kl, fell=fell)

    before = answers()
    order = in_order(training, settings.updates * settings.drawn_prompts, seed=run.seed)
    course = train(trainer, order, settings, work=work, judge=judge, first=before.goal(by_score))
    after, kept = before, "sft"
    if not trainer.is_start():
        kept = "policy"
        # The state that is kept may have been judged before a kill, or never.
        is_last = course.stopped == "finished" and course.best_after == len(course.curve)
        after = judged[-1] if judged and is_last else answers()
    heldout = compare(before, after, seed=run.seed)
    # Chosen by held-out prompts of the validation split; the test questions have no say in it.
    if kept == "sft":
        print("no state answers held-out prompts better than before: the sft model is kept", flush=True)
    folder = work / "adapter"
    remove(folder)
    actors.save_adapter(folder)
    drawn, learned = reached(order, course.curve)
    # The sft model has learned from none of them.
    write_learned(folder, _taught(parts, learned) if kept == "policy" else ())
    each = {"samples": settings.responses, "preferences": 2, "answers": 1}[settings.learns_from]
    figures = {
        **device.figures(),
        "algorithm": settings.algorithm,
        "rewards": dict(settings.rewards),
        "stopped": course.stopped,
        "updates": len(course.curve),
        "rollouts": sum(line.drawn for line in course.curve) * each,
        "learned_rollouts": sum(len(line.learned) for line in course.curve) * each,
        "shared_layers": actors.decoder.split,
        "trainable_parameters": sum(p.numel() for p in actors.parameters().values()),
        "heldout": heldout,
        "judged_by": "score" if by_score else "worth",
        "judged_as_served": as_served,
        "kept": kept,
    }
    counts = [row for part in parts if part.chosen for row in part.counted(reached=drawn, used=learned)]
    return Trained(
        adapter=folder,
        curve=curve_lines(course.curve),
        report=Report(stage="rlhf", rows=counts, figures=figures),
    )


def _has_both_sorts(prompts: Sequence[Prompt]) -> bool:
    """Whether some have an answer and some have none: else no model is given a threshold of abstaining."""
    return len({prompt.example.answerable for prompt in prompts}) == 2


def _taught(parts: Sequence[Prompts], learned: Counter[str]) -> list[Learned]:
    """The rows that training has learned from, as often as it did."""
    return [
        line
        for part in parts
        for line in traced(
            [(prompt.example, learned[prompt.example.id]) for prompt in part.rows],
            kind="preference" if part.kind == "preference" else "example",
            twins=part.kind == "counterfactual",
        )
    ]


def _training(
    examples: Sequence[Example],
    preferences: Sequence[Preference],
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    run: RunSettings,
    settings: RlhfSettings,
) -> tuple[Prompts, ...]:
    """What is trained on, with its row accounting: prompts and their twins, or pairs."""
    if settings.learns_from == "preferences":
        count = settings.updates * settings.prompts
        return (
            choose_pairs(
                preferences, count, assistant, tokenizer, max_length=settings.max_length, seed=run.seed
            ),
        )
    prompts, twins = choose_prompts(
        examples,
        settings.updates * settings.drawn_prompts,
        assistant,
        tokenizer,
        longest=settings.max_length - settings.max_new_tokens,
        seed=run.seed,
        withheld=settings.counterfactuals,
        checked=settings.leaves_out_words,
    )
    return (prompts.taught(), twins.taught()) if settings.learns_from == "answers" else (prompts, twins)
