"""How good an answer is, in 0..1, without a judge model: pure functions over strings and numbers.

The rule follows the task of the question: values are compared as Python values, names exactly, answers with
a form as `tasks.scoring` says, other sentences by their shared words. Where the documentation does not say,
the only right answer is to say so.
"""

import ast
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deploy.abstention import abstains
from tasks.rows.records import Example
from tasks.scoring import SCORERS

Verdict = Literal["helps", "does not help", "not clear"]

_MARK = re.compile(r"\s*\[\d+\]")
_BACKTICKED = re.compile(r"`+([^`]+)`+")
_LITERAL = re.compile(
    r"""(?<![\w.'"])(?:None|True|False|-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?!\w|\.\d)"""
    r"""|(?<!\w)'[^']*'(?!\w)|(?<!\w)"[^"]*"(?!\w)"""
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with the bounds that hold 95 % of its bootstrap resamples."""

    mean: float
    low: float
    high: float


def score(example: Example, text: str) -> float:
    """How good `text` is as the answer to `example`, in 0..1."""
    if not example.answerable:
        return float(abstains(text))
    if abstains(text) and not abstains(example.answer):
        return 0.0  # a documented sentence may itself say that something is not specified
    question = example.prompt[-1].content
    match example.task:
        case "default":
            return float(same_value(stated_value(text, question), stated_value(example.answer)))
        case "lookup":
            return float(stated_name(text) == stated_name(example.answer))
        case task if task in SCORERS:
            return SCORERS[task](question, example.answer, text)
        case _:
            return token_f1(text, example.answer)


def without_marks(text: str) -> str:
    """`text` without its citation marks `[n]`."""
    return _MARK.sub("", text)


def stated_value(text: str, question: str = "") -> str:
    """The value that an answer states.

    It is the first span in backticks that is not merely repeated from the question, else the first Python
    literal outside backticks, else the whole text.
    """
    repeated = set(_BACKTICKED.findall(question))
    for span in _BACKTICKED.findall(text):
        if span not in repeated:
            return str(span).strip()
    plain = without_marks(_BACKTICKED.sub(" ", text))
    literal = _LITERAL.search(plain)
    return literal.group() if literal else plain.strip().rstrip(".")


def same_value(one: str, other: str) -> bool:
    """Whether two texts spell one Python value: `'l2'` and `"l2"`, `1.0` and `1`; not `1` and `True`."""
    return _normalised(one) == _normalised(other)


def stated_name(text: str) -> str:
    """The qualified name that an answer states: the first span in backticks or the first dotted name."""
    plain = without_marks(text)
    found = _BACKTICKED.search(plain)
    span = found.group(1) if found else plain
    dotted = _DOTTED.search(span)
    return dotted.group() if dotted else span.strip()


def token_f1(text: str, gold: str) -> float:
    """The harmonic mean of precision and recall over words, normalised as in SQuAD (Rajpurkar 2016)."""
    words, wanted = _words(text), _words(gold)
    if not words or not wanted:
        return float(words == wanted)
    shared = sum((Counter(words) & Counter(wanted)).values())
    return 2 * shared / (len(words) + len(wanted))


def bootstrap(values: Sequence[float], *, resamples: int, seed: int) -> Interval:
    """The mean of `values` with its 95 % percentile interval (Efron 1979)."""
    from scipy import stats

    assert values, "an interval needs at least one value"
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if len(array) == 1:
        return Interval(mean=mean, low=mean, high=mean)
    found = stats.bootstrap((array,), np.mean, n_resamples=resamples, method="percentile", rng=seed)
    low, high = found.confidence_interval
    return Interval(mean=mean, low=float(low), high=float(high))


def verdict(difference: Interval) -> Verdict:
    """What an interval of paired differences says about the layer that makes the difference."""
    if difference.low > 0:
        return "helps"
    return "does not help" if difference.high <= 0 else "not clear"


def best_constant(examples: Sequence[Example], candidates: Iterable[str]) -> str:
    """The candidate that scores best when it is given as the answer to every example; the first of equals."""
    return max(candidates, key=lambda text: sum(score(example, text) for example in examples))


def frequent_answers(examples: Iterable[Example], count: int) -> list[str]:
    """The `count` most frequent answers of the answerable examples; ties in alphabetical order."""
    answers = Counter(example.answer for example in examples if example.answerable)
    return [text for text, _ in sorted(answers.items(), key=lambda pair: (-pair[1], pair[0]))[:count]]


def _normalised(value: str) -> tuple[str, object]:
    try:
        literal = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "text", value.strip()
    if isinstance(literal, str):
        return "text", literal
    if isinstance(literal, int | float | complex) and not isinstance(literal, bool):
        return "number", literal
    return type(literal).__name__, repr(literal)


def _words(text: str) -> list[str]:
    plain = without_marks(text).lower().translate(_PUNCTUATION)
    return _ARTICLES.sub(" ", plain).split()
