"""What bfloat16 changes: each method trains the same steps beside a base in float32 and in bfloat16.

    python -m benchmarks.precision [--model data/models/base] [--methods lora full] [--steps 12] [--write]

The base's weights are rounded to bfloat16 in both, so that only the arithmetic differs. Prints for each
method the losses after the last step and how near what was learnt lies: the cosine and the relative distance
of the changes since the start. `--write` writes docs/precision.md; the last line is one JSON object.
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
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
    import torch

    losses, changes = {}, {}
    for precision in PRECISIONS:
        losses[precision], changes[precision] = learnt(model, method, settings, precision, steps=steps)
    one, other = (changes[precision] for precision in PRECISIONS)
    return {
        "loss_before": round(losses["float32"][0], 4),
        **{f"loss_{precision}": round(losses[precision][-1], 4) for precision in PRECISIONS},
        "cosine": round(float(torch.nn.functional.cosine_similarity(one, other, dim=0)), 4),
        "distance": round(float((one - other).norm() / one.norm()), 4),
    }


def learnt(
    model: Path, method: str, settings: Settings, precision: str, *, steps: int
) -> "tuple[list[float], Tensor]":
    """The loss before each step and after the last, and by how much all that learns has changed, flat."""
    import torch

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
    rate = chosen.learning_rate
    optimizer = (
        adapted.optimizer(rate, 0.0) if adapted.optimizer else torch.optim.AdamW(learning.values(), lr=rate)
    )
    losses = []
    for step in range(steps + 1):
        loss = answer_loss(adapted.model, batch, labels, lengths=lengths, hidden=adapted.hidden)
        losses.append(loss.item())
        if step < steps:
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    change = [(part.detach() - start[name]).flatten().float() for name, part in sorted(learning.items())]
    return losses, torch.cat(change)


def drawn(vocabulary: int) -> "Tensor":
    """Random rows [ROWS, LENGTH], which begin alike; the same at each call."""
    import torch

    choice = random.Random(0)
    same = [choice.randrange(3, vocabulary) for _ in range(PROMPT // 2)]
    own = range(LENGTH - len(same))
    return torch.tensor([[*same, *(choice.randrange(3, vocabulary) for _ in own)] for _ in range(ROWS)])


def page(found: Mapping[str, Mapping[str, Any]], *, steps: int) -> str:
    """The page as Markdown."""
    names: Sequence[str] = ("loss_before", "loss_float32", "loss_bfloat16", "cosine", "distance")
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
        "| method | loss before | after, float32 | after, bfloat16 | cosine of changes | relative distance |",
        "|---|--:|--:|--:|--:|--:|",
        *(
            f"| `{method}` | " + " | ".join(f"{told[name]:.3f}" for name in names) + " |"
            for method, told in found.items()
        ),
        "",
        "Adam divides each step by the size of the gradient: where that is small, its sign decides, and "
        "rounding turns some. So what is learnt lies apart more than the losses do.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
