"""Numbers as people read them; a dash where there is nothing to tell."""

from collections.abc import Sequence
from typing import Any

DASH = "\u2013"


def spelled(value: Any) -> str:
    """A value as a person reads it: four significant digits, yes and no, lists with commas."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(spelled(item) for item in value)
    return str(value)


def number(value: float | None) -> str:
    """A number without needless figures: three of them, or all before the point."""
    return DASH if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def count(rows: int | None) -> str:
    """A count for a table, where none is an empty cell."""
    return f"{rows:,}" if rows else ""


def in_words(reason: str) -> str:
    """A reason as people read it; a setting that it names stays as it is spelled."""
    return reason if "." in reason else reason.replace("_", " ")


def decimals(value: float | None) -> str:
    """A number with three decimals, as scores have them."""
    return DASH if value is None else f"{value:.3f}"


def percent(share: float | None) -> str:
    """A share as a whole percentage."""
    return DASH if share is None else f"{100 * share:.0f} %"


def fine_percent(share: float | None) -> str:
    """A share as a percentage with two figures that count."""
    return f"{100 * share:.2g} %" if share is not None and abs(share) < 0.1 else percent(share)


def times(ratio: float | None) -> str:
    """A ratio."""
    return DASH if ratio is None else f"{ratio:.2f} \u00d7"


def milliseconds(value: float | None) -> str:
    """A time in milliseconds or, from a second on, in seconds."""
    if value is None:
        return DASH
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"


def mib(value: float | None) -> str:
    """A size in MiB."""
    return DASH if value is None else f"{value:,.0f} MiB"


def difference_told(mean: float, low: float, high: float) -> str:
    """A paired difference with the bounds of its interval, in words."""
    return f"{mean:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
