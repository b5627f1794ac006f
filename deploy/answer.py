"""An answer with all that is known of it: its sources, its citations, the layers behind it, what it took."""

import re
from dataclasses import dataclass

from deploy.engines.engine import Generation, Weighed
from deploy.prompts.template import Source

_CITATION = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Which layers are on beside the model: the prompt template and retrieval."""

    prompt: bool = True
    retrieval: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. `citations` are the numbers of the sources that it names and that were really shown.

    `left_out` further sources were found that had no room in the model's context.

    `seconds` is the time of the whole call, shared out evenly where several were asked at once; of several
    choices, each has the time until it had ended. `chances` are the model's own, where they were asked for.
    """

    text: str
    citations: tuple[int, ...]
    sources: tuple[Source, ...]
    left_out: int
    layers: Layers
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    retrieval_seconds: float
    seconds: float
    choice: int = 0
    chances: tuple[Weighed, ...] | None = None


def citations(text: str) -> tuple[int, ...]:
    """The numbers in marks such as [2], each once, in the order of their first mention."""
    return tuple(dict.fromkeys(int(number) for number in _CITATION.findall(text)))


def answer_of(
    generation: Generation,
    sources: tuple[Source, ...],
    layers: Layers,
    *,
    left_out: int,
    retrieval_seconds: float,
    seconds: float,
) -> Answer:
    """`generation` with its citations read; a mark that no shown source has is no citation."""
    numbers = {source.number for source in sources}
    return Answer(
        text=generation.text,
        citations=tuple(n for n in citations(generation.text) if n in numbers),
        sources=sources,
        left_out=left_out,
        layers=layers,
        prompt_tokens=generation.prompt_tokens,
        completion_tokens=generation.completion_tokens,
        finished=generation.finished,
        retrieval_seconds=retrieval_seconds,
        seconds=seconds,
        chances=generation.chances,
    )
