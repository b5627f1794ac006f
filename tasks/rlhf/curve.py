"""The curve of the updates as CSV."""

from collections.abc import Sequence
from dataclasses import astuple, fields

from tasks.rlhf.trainer import UpdateFigures


def curve_lines(curve: Sequence[UpdateFigures]) -> str:
    """One line an update under a line of names."""
    lines = [",".join(field.name for field in fields(UpdateFigures))]
    for figures in curve:
        update, *numbers, learned = astuple(figures)
        lines.append(",".join([str(update), *(f"{number:.6g}" for number in numbers), str(len(learned))]))
    return "\n".join(lines) + "\n"
