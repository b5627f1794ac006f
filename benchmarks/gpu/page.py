"""What was measured on a GPU, as the page docs/gpu.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.gpu.cases import LENGTH, ROWS, Case

HEAD = "| model | parameters | method | precision | GPUs | tokens/s | peak MiB | estimated | ratio | loss |"


def page(found: Sequence[Mapping[str, Any]], *, device: str, steps: int) -> str:
    """The page as Markdown."""
    lines = [
        "# On a GPU",
        "",
        f"{device}: {steps} steps of {ROWS} rows of {LENGTH} tokens of random text, all of which count, by "
        "the training of `sft` with `rows: documents`. Written by `python -m benchmarks.gpu --write`.",
        "",
        HEAD,
        "|---|--:|---|---|--:|--:|--:|--:|--:|--:|",
        *(_line(told) for told in found),
        "",
        "Loss: of a row that was not trained on, before and after; random text can only be learnt by heart.",
    ]
    return "\n".join(lines) + "\n"


def _line(told: Mapping[str, Any]) -> str:
    case = Case(**{name: told[name] for name in ("model", "method", "precision", "processes")})
    ratio = told["estimated_mib"] / told["peak_mib"] if told["peak_mib"] else float("nan")
    return (
        f"| {'random' if case.model.isdigit() else 'base'} | {told['parameters']:,} | `{case.method}` "
        f"| {case.precision} | {case.processes} | {told['tokens_per_s']:,} | {told['peak_mib']:,} "
        f"| {told['estimated_mib']:,} | {ratio:.2f} | {told['loss_before']:.2f} to {told['loss']:.2f} |"
    )
