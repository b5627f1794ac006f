"""Scores of answers with a form: fields of JSON, labels, the words of summaries, syntax trees of programs."""

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

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


_MARK = re.compile(r"(?<!\s)\s*\[\d+\]$")
_AROUND = " \t\n`\"'*."


def same_label(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """1 if `text` is the label `gold`, but for case and what is put around a name; else 0."""
    return float(_bare(text) == _bare(gold))


def _bare(text: str) -> str:
    return _MARK.sub("", text.strip()).strip(_AROUND).casefold()


_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)


def fenced(text: str) -> str:
    """What stands in the first fenced block of `text`, or all of it where there is none."""
    found = _FENCE.search(text)
    return (found.group(1) if found else text).strip()


_WORD = re.compile(r"[a-z0-9]+")


def rouge_l(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """The F-measure of the longest common subsequence of words, in 0..1.

    Words are runs of letters and digits in lower case, without stemming, as Google's `rouge-score` has them.
    """
    words, wanted = _WORD.findall(text.lower()), _WORD.findall(gold.lower())
    if not words or not wanted:
        return float(words == wanted)
    return 2 * _common(words, wanted) / (len(words) + len(wanted))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = row
        row = [0]
        for place, wanted in enumerate(other):
            row.append(before[place] + 1 if word == wanted else max(row[-1], before[place + 1]))
    return row[-1]


MAX_CHARACTERS = 20_000  # a longer answer is not parsed


def same_program(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """1 if `text` parses to the same syntax tree as `gold`, else 0: layout, comments and quotes are free."""
    if (found := _tree(text)) is None:
        return 0.0
    return float(found == _tree(gold))


def _tree(text: str) -> str | None:
    source = fenced(text)
    if len(source) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in an answer is nobody's warning
            return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
