"""Draws several answers of the tuned model to each prompt.

What a reward model has to tell apart are the answers that the policy gives, not those that somebody made up
(Stiennon et al. 2020, arXiv:2009.01325, draw from the policy as well).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.engines.chat import end_of_turn, load_tokenizer
from tasks.machine.device import Device
from tasks.machine.progress import Progress
from tasks.rows.records import Example
from tasks.scoring.values import without_marks
from tasks.training.reinforcement.worth import Prompt
from tasks.training.settings import SampleSettings

ROWS = 16  # prompts that are answered between two progress lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """An example with the different answers that were drawn to it, without citation marks."""

    example: Example
    answers: tuple[str, ...]


def draw_answers(
    prompts: Sequence[Prompt],
    base: Path,
    sft: Path,
    device: Device,
    *,
    settings: SampleSettings,
    seed: int,
) -> list[Sampled]:
    """The answers of the model tuned by `sft` to each of `prompts`, in order.

    Answers that did not end within `sample.max_new_tokens` are left out: nobody can say what they would have
    become.

    Raises:
        TrainingError: the adapter does not fit, or the base cannot be cut.
    """
    import torch

    from tasks.training.reinforcement.actors import load_actors
    from tasks.training.reinforcement.rollouts import answered

    tokenizer = load_tokenizer(base)
    actors = load_actors(base, sft, None, device, trained_layers=1, longest=settings.max_length)
    generator = torch.Generator().manual_seed(seed)
    progress = Progress(len(prompts), "prompts")
    found: list[Sampled] = []
    with actors.activate("policy"):
        for start in range(0, len(prompts), ROWS):
            part = prompts[start : start + ROWS]
            groups = answered(
                actors.decoder,
                [prompt.tokens for prompt in part],
                responses=settings.responses,
                end=end_of_turn(tokenizer),
                max_new_tokens=settings.max_new_tokens,
                temperature=settings.temperature,
                generator=generator,
            )
            for prompt, group in zip(part, groups, strict=True):
                texts = [
                    without_marks(tokenizer.decode(response, skip_special_tokens=True)).strip()
                    for response, ended in zip(group.responses, group.ended, strict=True)
                    if ended
                ]
                answers = tuple(dict.fromkeys(text for text in texts if text))
                found.append(Sampled(example=prompt.example, answers=answers))
            progress.update(start + len(part))
    return found
