"""JSON, compared field by field: an answer that does not parse is worth nothing."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tasks.scoring.fenced import fenced

Leaf = tuple[tuple[str | int, ...], str, object]


def field_f1(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """The harmonic mean of precision and recall over the fields of two JSON values, in 0..1.

    A field is a path with the value at its end; 1 and 1.0 are equal, 1 and true are not. An answer may
    stand in a fenced block; with any other text around it, it does not parse, and scores 0.
    """
    try:
        found, wanted = Counter(_leaves(_parsed(text))), Counter(_leaves(_parsed(gold)))
    except (ValueError, RecursionError):
        return 0.0
    return 2 * (found & wanted).total() / (found.total() + wanted.total())


def _parsed(text: str) -> Any:
    """The value in `text`; ValueError where it is no JSON. A key that comes twice is none."""
    return json.loads(fenced(text), object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")  # Python would read NaN and Infinity


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Every value that holds no other, with its path; an empty object or list is one, too."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(inner, (*path, place))
    else:
        yield path, _kind(value), str(value) if isinstance(value, dict | list) else value


def _kind(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__
