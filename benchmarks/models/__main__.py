"""The page on model families: `python -m benchmarks.models` tries each and writes docs/models.md."""

import json
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.models.families import FAMILIES, write_tiny_model
from deploy.atomic import write_text
from tasks.methods import METHODS
from tasks.pages.numbers import DASH

if TYPE_CHECKING:
    from benchmarks.models.checks import Finding

PAGE = Path("docs/models.md")
LOSS, FUSED, DECODING, RLHF = "loss", "fused", "decoding", "RLHF"
COLUMNS = (LOSS, FUSED, *METHODS, DECODING, RLHF)
YES, NO = "yes", DASH
SAME = 1e-4  # nats by which two losses may differ that are the same but for rounding
HEAD = """# Model families

What was tried of each family, by `model_type` in its `config.json`, on a tiny random model of transformers'
own code: what works, not how well. Written by `python -m benchmarks.models`; a test holds page and code
together.

- **loss**: what training computes is the loss of transformers' own forward pass. **fused**: layers are
  replaced by faster ones with the same numbers; others train by transformers' own.
- a **method**: it attaches, its loss falls, and saved and loaded by PEFT, merged where it can be, and served,
  it makes the logits that it was trained to. The defaults of `hybrid` name modules of the Llama kind; for
  others, name theirs.
- **decoding**: prompts of different lengths, read as one batch, go on as each does alone.
- **RLHF**: the policy, above the layers that it shares with reward model and reference, says of its answers
  what the same adapter says alone.

A number is a refusal; its reason stands below, and is said before anything is trained.
"""
FOOT = """
Layers with a window are refused for RLHF only where rows (`rlhf.max_length`) are longer than it; here it is
8 tokens. In models with experts (Mixture of Experts) `all-linear` reaches attention alone: transformers keeps
a layer's experts in one tensor, which `full` and `selective` train, and LoRA, adapters and pruning leave as
it is.
"""


def main() -> int:
    """Try all families and write the page; exit 1 if something is wrong."""
    warnings.filterwarnings("ignore")  # of libraries about themselves
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    found = {family: found_of(family) for family in FAMILIES}
    write_text(PAGE, page(found))
    wrong = [f"{family}, {column}: {cell}" for family, row in found.items() for column, cell in row.items()]
    wrong = [line for line in wrong if ": wrong" in line]
    print("\n".join([f"{PAGE} is written", *wrong]))
    print(json.dumps(found))
    return bool(wrong)


def found_of(family: str, methods: Iterable[str] = tuple(METHODS)) -> dict[str, str]:
    """What the checks say of a family, by column: yes, no, a reason, or `wrong` and by how much."""
    from benchmarks.models import checks

    with tempfile.TemporaryDirectory() as folder:
        base = write_tiny_model(Path(folder) / "base", family)
        own, ours = checks.losses(base)
        return {
            LOSS: YES if abs(own - ours) < SAME else f"wrong: {ours:.4f} instead of {own:.4f}",
            FUSED: YES if checks.is_fused(base) else NO,
            **{method: _word(checks.tried(base, method, Path(folder) / method)) for method in methods},
            DECODING: _word(checks.decoded(base)),
            RLHF: _word(checks.reinforced(base, Path(folder) / RLHF)),
        }


def _word(finding: "Finding") -> str:
    return f"wrong: {finding.reason}" if finding.wrong else finding.reason or YES


def page(found: Mapping[str, Mapping[str, str]]) -> str:
    """The page as Markdown; equal reasons have one number."""
    reasons: list[str] = []

    def cell(text: str) -> str:
        if text in (YES, NO) or text.startswith("wrong"):
            return text
        if text not in reasons:
            reasons.append(text)
        return str(reasons.index(text) + 1)

    lines = ["| family | " + " | ".join(f"`{name}`" if name in METHODS else name for name in COLUMNS) + " |"]
    lines.append("|---|" + ":-:|" * len(COLUMNS))
    for family, row in found.items():
        lines.append(f"| `{family}` | " + " | ".join(cell(row[name]) for name in COLUMNS) + " |")
    notes = [f"{number}. {reason}" for number, reason in enumerate(reasons, start=1)]
    return "\n".join([HEAD, *lines, "", *notes, FOOT])


if __name__ == "__main__":
    raise SystemExit(main())
