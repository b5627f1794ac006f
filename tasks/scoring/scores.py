"""How good an answer is, in 0..1, without a judge model: pure functions over strings and numbers.

The rule follows the task of the question: values are compared as Python values, names exactly, answers with
a form as `tasks.scoring` says, other sentences by their shared words. Where the documentation does not say,
the only right answer is to say so.
"""

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
from tasks.scoring.values import same_name, same_value, stated_name, stated_value, without_marks

Verdict = Literal["helps", "does not help", "not clear"]

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
        case "lookup" | "which":
            return float(same_name(stated_name(text), stated_name(example.answer)))
        case task if task in SCORERS:
            return SCORERS[task](question, example.answer, text)
        case _:
            return token_f1(text, example.answer)


def checkable(example: Example) -> bool:
    """Whether a rule tells a right answer from a wrong one; other answers are scored by shared words."""
    return not example.answerable or example.task in ("default", "lookup", "which", *SCORERS)


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


def _words(text: str) -> list[str]:
    plain = without_marks(text).lower().translate(_PUNCTUATION)
    return _ARTICLES.sub(" ", plain).split()
