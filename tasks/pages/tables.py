"""Figures as lines of words: nested metrics flattened."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tasks.pages.numbers import spelled

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
