"""What bfloat16 changes: each method trains the same steps beside a base in float32 and in bfloat16.

    python -m benchmarks.precision [--model data/models/base] [--methods lora full] [--steps 12] [--write]

The base's weights are rounded to bfloat16 in both, so that only the arithmetic differs. Prints for each
method the losses after the last step and how near what was learnt lies: the cosine of the first gradients,
and cosine and relative distance of the changes since the start. `--write` writes docs/precision.md; the last
line is one JSON object.
"""

import argparse
import json
import math
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_text
from tasks.errors import TrainingError
from tasks.methods import METHODS
from tasks.settings import Settings, load_settings

if TYPE_CHECKING:
    from torch import Tensor

PAGE = Path("docs/precision.md")
ROWS, LENGTH, PROMPT = 4, 96, 64  # of a step, and how many tokens of a row do not count in the loss
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """The loss before each step and after the last; the first gradient, and what has changed since, flat."""

    losses: list[float]
    gradient: "Tensor"
    change: "Tensor"


def main() -> int:
    """Measure every method that is asked for."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__)
    words.add_argument("--model", type=Path, default=Path("data/models/base"))
    words.add_argument("--methods", nargs="+", metavar="NAME", default=list(METHODS))
    words.add_argument("--steps", type=int, default=12)
    words.add_argument("--write", action="store_true", help="write docs/precision.md")
    given = words.parse_args()
    if not given.model.is_dir():
        print(f"{given.model} is not there yet: run `python -m dvc repro base` first", file=sys.stderr)
        print("{}")
        return 0
    settings = load_settings(Path("params.yaml"))
    found: dict[str, dict[str, float]] = {}
    for method in given.methods:
        try:
            found[method] = compared(given.model, method, settings, steps=given.steps)
        except TrainingError as error:
            print(f"{method}: {error}", file=sys.stderr)
            continue
        print(f"{method}: {found[method]}", flush=True)
    if given.write:
        write_text(PAGE, page(found, steps=given.steps))
    print(json.dumps(found))
    return 0


def compared(model: Path, method: str, settings: Settings, *, steps: int) -> dict[str, float]:
    """The losses of a method in both precisions, and how near what it learnt in both is."""
    wide, short = (learnt(model, method, settings, precision, steps=steps) for precision in PRECISIONS)
    return {
        "loss_before": round(wide.losses[0], 4),
        "loss_float32": round(wide.losses[-1], 4),
        "loss_bfloat16": round(short.losses[-1], 4),
        "gradient_cosine": round(cosine(wide.gradient, short.gradient), 4),
        "cosine": round(cosine(wide.change, short.change), 4),
        "distance": round(distance(wide.change, short.change), 4),
    }


def cosine(one: "Tensor", other: "Tensor") -> float:
    """That of two flat tensors; a sum of so many numbers in float32 would be off in the second digit."""
    sums = [float((a.double() * b.double()).sum()) for a, b in ((one, other), (one, one), (other, other))]
    return sums[0] / math.sqrt(sums[1] * sums[2])


def distance(one: "Tensor", other: "Tensor") -> float:
    """How far the other lies from the one, over the length of the one."""
    return math.sqrt(float((one.double() - other.double()).square().sum() / one.double().square().sum()))


def learnt(model: Path, method: str, settings: Settings, precision: str, *, steps: int) -> "Learnt":
    """What a method learns of the same rows beside a base in one precision."""
    import torch

    from benchmarks.learning import steps as learning_steps
    from deploy.engines.chat import load_tokenizer
    from tasks.machine.device import set_up_torch
    from tasks.methods.layers.fusing import fuse_layers
    from tasks.methods.method import Material
    from tasks.methods.parts.base_model import load_base
    from tasks.training.tuning.trainer import answer_loss

    device = set_up_torch(settings.run.model_copy(update={"precision": precision}))
    base = load_base(model, device)
    for part in base.parameters():
        part.data = part.data.to(torch.bfloat16).to(part.dtype)
    batch = drawn(int(base.config.vocab_size))
    labels = batch.clone()
    labels[:, :PROMPT] = -100
    chosen = settings.sft.model_copy(update={"method": method}).chosen
    torch.manual_seed(0)
    material = Material(tokenizer=load_tokenizer(model), rows=batch.tolist())
    adapted = METHODS[method].attach(base, chosen, material)
    lengths = torch.full((ROWS,), LENGTH) if fuse_layers(adapted.model) else None
    learning = adapted.trained()
    start = {name: part.detach().clone() for name, part in learning.items()}
    losses: list[float] = []
    for loss in learning_steps(
        adapted, batch, labels, lengths=lengths, rate=chosen.learning_rate, count=steps
    ):
        if not losses:
            gradient = torch.cat([_flat(learning[name].grad, start[name]) for name in sorted(learning)])
        losses.append(loss)
    with torch.no_grad():
        last = answer_loss(adapted.model, batch, labels, lengths=lengths, hidden=adapted.hidden)
    change = torch.cat(
        [_flat(learning[name].detach() - start[name], start[name]) for name in sorted(learning)]
    )
    return Learnt(losses=[*losses, last.item()], gradient=gradient, change=change)


def _flat(tensor: "Tensor | None", like: "Tensor") -> "Tensor":
    """A tensor in one row; zeros where there is none."""
    return (like.new_zeros(like.shape) if tensor is None else tensor).flatten().float()


def drawn(vocabulary: int) -> "Tensor":
    """Random rows [ROWS, LENGTH], which begin alike; the same at each call."""
    import torch

    choice = random.Random(0)
    same = [choice.randrange(3, vocabulary) for _ in range(PROMPT // 2)]
    own = range(LENGTH - len(same))
    return torch.tensor([[*same, *(choice.randrange(3, vocabulary) for _ in own)] for _ in range(ROWS)])


def page(found: Mapping[str, Mapping[str, Any]], *, steps: int) -> str:
    """The page as Markdown."""
    names = ("loss_before", "loss_float32", "loss_bfloat16", "gradient_cosine", "cosine", "distance")
    lines = [
        "# What bfloat16 changes",
        "",
        "`run.precision: auto` keeps the frozen base in bfloat16 on GPUs and CPUs that are fast in it. What "
        "learns, and its optimiser's state, is float32 in either case.",
        "",
        f"Here each method learns {ROWS} rows of {LENGTH} random tokens by heart in {steps} steps, with the "
        "settings of params.yaml or its paper's, beside the base of params.yaml in both formats; its weights "
        "are rounded to bfloat16 in both, so only the arithmetic differs. Written by `python -m "
        "benchmarks.precision --write`.",
        "",
        "| method | loss before | after, float32 | after, bfloat16 | cosine of the first gradients "
        "| of what was learnt | its distance |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *(
            f"| `{method}` | " + " | ".join(f"{told[name]:.3f}" for name in names) + " |"
            for method, told in found.items()
        ),
        "",
        "Adam divides each step by the size of the gradient: where that is small, its sign decides, and "
        "rounding turns some. So what is learnt lies further apart than the gradients do, the more so the "
        "higher the rate. Full tuning computes in float32 throughout: all its weights learn.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
