"""PPO by this project on the job that TRL is given: `python -m benchmarks.rlhf.ours JOB.json`."""

import json
import sys
import time
from pathlib import Path

from benchmarks.rlhf import toy
from deploy.messages import Message
from tasks.machine.device import set_up_torch
from tasks.rows.records import Example
from tasks.settings import load_settings
from tasks.training.reinforcement.actors import load_actors
from tasks.training.reinforcement.gathering import Sampler
from tasks.training.reinforcement.trainer import Trainer
from tasks.training.reinforcement.worth import Prompt, Worth
from tasks.training.rlhf_settings import MODEL

TOY = "toy"  # the name of its reward


def main() -> int:
    """Train as the job says; prints what `theirs` prints."""
    import torch

    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    is_toy = "liked" in job
    known = load_settings(Path("params.yaml"))
    own = known.rlhf.model_copy(update={"algorithm": "ppo"}).chosen
    settings = known.rlhf.model_copy(
        update={
            "algorithm": "ppo",
            "ppo": own.model_copy(update={"kl_coefficient": job["kl_coefficient"]}),
            "learns_from": "samples",
            "rewards": {TOY: 1.0} if is_toy else {MODEL: 1.0},
            "prompts": len(job["prompts"]) // job["updates"] // job["responses"],
            "redraws": 1,
            "trained_layers": job["trained_layers"],
            **{
                name: job[name]
                for name in (
                    "updates",
                    "responses",
                    "mini_batches",
                    "epochs",
                    "learning_rate",
                    "temperature",
                    "max_new_tokens",
                )
            },
            "missing_end_penalty": job["missing_end_penalty"] or 0.0,
        }
    )
    device = set_up_torch(known.run.model_copy(update={"precision": "float32"}))
    actors = load_actors(
        Path(job["base"]),
        Path(job["sft"]),
        Path(job["reward_adapter"]) if job["reward_adapter"] else None,
        device,
        trained_layers=settings.trained_layers,
        longest=settings.max_length,
        has_values=True,
    )
    worth = Worth(
        weights=settings.rewards,
        decode=lambda tokens: " ".join(map(str, tokens)),
        functions={TOY: lambda _question, text, _reference: toy.share(text)} if is_toy else {},
    )
    generator = torch.Generator().manual_seed(1)
    sampler = Sampler(actors, worth, settings, end=job["end"], generator=generator)
    trainer = Trainer(actors, sampler, settings)
    # TRL draws each prompt as often as it stands there; here its responses share it.
    prompts = [_prompt(tokens) for tokens in job["prompts"][:: job["responses"]]]
    times: list[float] = []
    rewards: list[float] = []
    for number in range(1, settings.updates + 1):
        part = prompts[(number - 1) * settings.prompts : number * settings.prompts]
        figures = trainer.update(number, sampler.gather(part))
        times.append(time.monotonic())
        rewards.append(round(figures.reward, 4))
    responses = settings.prompts * settings.responses
    print(
        json.dumps(
            {"samples_per_s": (len(times) - 1) * responses / (times[-1] - times[0]), "rewards": rewards}
        )
    )
    return 0


def _prompt(tokens: list[int]) -> Prompt:
    """A prompt of these tokens, whose good answer nobody asks for."""
    blank = Example.plain("", "", "", source="", task="chat", group="")
    assert blank.messages[-1] == Message("assistant", "")
    return Prompt(tokens=tuple(tokens), example=blank, target=())


if __name__ == "__main__":
    raise SystemExit(main())
