"""A rule without a model: what a few lines that copy from the passages answer.

The models are held against it. It knows nothing of the rows, only how passages are written: where a line
defines a name that the question names, the default or the first sentence behind it is the answer.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.abstention import ABSTENTION
from deploy.assistant import Assistant
from deploy.engines.engine import Sampling
from deploy.knowledge.definitions import defined_names, starts_with_definition
from deploy.messages import last_question
from deploy.prompts.template import Source
from tasks.evaluation.arms import Reply
from tasks.evaluation.questions import composed
from tasks.rows.grounding import marked
from tasks.rows.records import Example

ENOUGH = 0.5  # share of the question's words that a passage or a sentence has to hold

_QUOTED = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?![a-z])")
_ASKS_DEFAULT = re.compile(
    r"\b(?:defaults?|value|set to|not given|not passed|omit\w*|without)\b", re.IGNORECASE
)
_ASKS_NAME = re.compile(r"\b(?:which|called|named?|title)\b", re.IGNORECASE)
_TYPE = re.compile(r" :(?=\s|$)")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a about all am an and any are as at be but by can could did do does for from had has have how i if "
        "in into is it its looking may me must my need no not of on or our should so than that the their "
        "them there these they this those to up use used uses was we were what when where which who why will "
        "with would you your"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The rule as an arm of the ledger: it reads the sources that the models are shown."""

    name: str = "rule"
    model: None = None

    def replies(self, questions: Sequence[Example], assistant: Assistant, _sampling: Sampling) -> list[Reply]:
        """What the rule says to each question, in order; of a conversation it reads the last turn."""
        started = time.perf_counter()
        sources = [each.sources for each in composed(questions, assistant)]
        texts = [
            by_rule(last_question(question.prompt), found)
            for question, found in zip(questions, sources, strict=True)
        ]
        seconds = (time.perf_counter() - started) / max(len(questions), 1)
        return [
            Reply(text=text, sources=found, finished=True, seconds=seconds)
            for text, found in zip(texts, sources, strict=True)
        ]


def by_rule(question: str, sources: Sequence[Source]) -> str:
    """The answer that can be copied from `sources`, with its citation; else the abstention.

    A passage counts where every name in backticks of the question stands in it.
    """
    quoted = [name.strip("*") for name in _QUOTED.findall(question)]
    about = [source for source in sources if all(_stands_in(name, source.text) for name in quoted)]
    for_name = _ASKS_NAME.search(question) is not None
    if quoted or not for_name:
        named = set(quoted or _WORD.findall(question)) - _STOP_WORDS
        for source in about:
            if (found := _of_definition(question, named, source.text)) is not None:
                return marked(found, source.number)
    asked = _words(question)
    pieces = [
        (len(asked & _words(piece)), f"`{source.title}`" if for_name else piece, source.number)
        for source in about
        for piece in ([source.text] if for_name and source.title else _sentences(source))
    ]
    shared, text, number = max(pieces, key=lambda piece: piece[0], default=(0, "", 0))
    return marked(text, number) if shared and shared >= ENOUGH * len(asked) else ABSTENTION


def _of_definition(question: str, named: set[str], text: str) -> str | None:
    """What the line that defines one of `named` answers to `question`; None where no line does."""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not starts_with_definition(line) or named.isdisjoint(defined_names(line)):
            continue
        if _ASKS_DEFAULT.search(question):
            default = _TYPE.split(line, maxsplit=1)[0].partition("=")[2]
            return f"`{default}`" if default else ABSTENTION
        if following and not starts_with_definition(following):
            return _SENTENCE_END.split(following, maxsplit=1)[0]
    return None


def _sentences(source: Source) -> Iterator[str]:
    for line in source.text.removeprefix(source.title).splitlines():
        yield from filter(None, _SENTENCE_END.split(line.strip()))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _STOP_WORDS


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
