"""Figures as lines of words: nested metrics flattened, numbers in a form that people read."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Line = tuple[str, str]


def as_written(value: Any) -> str:
    """A setting as it stands in params.yaml."""
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def lines(
    values: Mapping[str, Any], prefix: str = "", *, say: Callable[[Any], str] | None = None
) -> list[Line]:
    """Each figure with its dotted name, in the order given; mappings are walked into.

    `say` spells a value; without it numbers are rounded and lists read as people write them.
    """
    say = say or spelled
    result: list[Line] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            result += lines(value, f"{name}.", say=say)
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value, start=1):
                result += lines(item, f"{name}.{number}.", say=say) if isinstance(item, Mapping) else []
        else:
            result.append((name, say(value)))
    return result


def spelled(value: Any) -> str:
    """A value as a person reads it: three or four significant digits, yes and no, a dash for nothing."""
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(spelled(item) for item in value)
    return str(value)


def share(value: float | None) -> str:
    """A share as a percentage with two figures that count."""
    if value is None:
        return "\u2013"
    return f"{100 * value:.2g} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"
