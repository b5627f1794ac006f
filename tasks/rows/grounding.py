"""Turns rows into what a model is trained on: the served prompt and the answer that its sources allow.

A model must say what the retrieved text says, cite it, and abstain where it says nothing. So the target
follows from what retrieval really found, through the assistant that also serves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.abstention import ABSTENTION, abstains
from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.composed import Composed
from deploy.knowledge.store import open_knowledge
from deploy.messages import Message
from deploy.prompts.template import Source, load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.rows.records import Example, LearnedForm, Preference

Outcome = Literal["answer", "abstention", "missed", "free"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """An example with its prompt as served, and the answer that its sources allow.

    `outcome` says why the target is what it is: `answer` (found, and cited), `abstention`
    (the question has no answer by design), `missed` (it has one, but retrieval did not find it) or `free`
    (the example names no evidence, so its answer stands as it is). `coverage` is that of the prompt. Of a row
    that is made from another one, `origin` is the id of that, and `form` says what was made of it.
    """

    example: Example
    messages: tuple[Message, ...]
    target: str
    outcome: Outcome
    coverage: float | None = None
    origin: str = ""
    form: LearnedForm = "itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundedPreference:
    """A preference with its prompt as served; both answers carry the citation mark that fits them.

    `missed` is True where the better answer rests on evidence that retrieval did not find: given those
    sources neither answer is good, so the pair teaches nothing.
    """

    preference: Preference
    messages: tuple[Message, ...]
    chosen: str
    rejected: str
    missed: bool


def composer(
    knowledge: Path,
    embedder: Path,
    *,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
) -> Assistant:
    """The assistant that serves, without an engine: it composes prompts and cannot answer."""
    store = open_knowledge(knowledge, embedder, retrieval)
    return Assistant(None, store, load_template(prompt.template), generation)


def ground(examples: Sequence[Example], assistant: Assistant) -> list[Grounded]:
    """Each example with its served prompt and the target that follows from its sources, in order."""
    return [
        _grounded(row, prompt) for row, prompt in zip(examples, _compose(examples, assistant), strict=True)
    ]


def ground_over(examples: Sequence[Example], prompt: Composed, assistant: Assistant) -> list[Grounded]:
    """Each example as if the sources of another `prompt` had been found for it, in order."""
    return [_grounded(row, assistant.compose_over(row.prompt, prompt.sources)) for row in examples]


def compose(examples: Sequence[Example], assistant: Assistant) -> list[Composed]:
    """The served prompt of each example with its sources, in order."""
    return _compose(examples, assistant)


def ground_preferences(preferences: Sequence[Preference], assistant: Assistant) -> list[GroundedPreference]:
    """Each preference with its served prompt and its answers marked with their source, in order."""
    composed = _compose(preferences, assistant)
    return [_grounded_preference(row, prompt) for row, prompt in zip(preferences, composed, strict=True)]


def cited_sources(row: Example | Preference, sources: Sequence[Source]) -> tuple[int, ...]:
    """The numbers of the sources that answer `row`, in order; none where they do not.

    It is the first that does, or the first of each document where it takes all of them.
    """
    first: dict[str, int] = {}
    for source in sources:
        if answers(row, source.document, source.text):
            first.setdefault(source.document, source.number)
    if row.takes_all:
        return tuple(sorted(first.values())) if len(first) == len(set(row.evidence)) else ()
    return tuple(first.values())[:1]


def answers(row: Example | Preference, document: str, text: str) -> bool:
    """Whether a passage of a document is one that answers `row`."""
    return document in row.evidence and row.quote in text


def cited_source(row: Example | Preference, sources: Sequence[Source]) -> int | None:
    """The number of the first source that answers `row`, or None if none does."""
    return next(iter(cited_sources(row, sources)), None)


def marked(answer: str, *numbers: int) -> str:
    """The answer with its citation marks; an abstention cites nothing."""
    if not numbers or abstains(answer):
        return answer
    return f"{answer} {''.join(f'[{number}]' for number in numbers)}"


def _compose(rows: Sequence[Example] | Sequence[Preference], assistant: Assistant) -> list[Composed]:
    layers = Layers(prompt=True, retrieval=True)
    prompts, withheld = [row.prompt for row in rows], [row.withheld for row in rows]
    return assistant.compose(prompts, layers=layers, exclude=withheld)


def _grounded(example: Example, prompt: Composed) -> Grounded:
    target = example.answer
    outcome: Outcome = "free"
    if not example.answerable:
        outcome = "abstention"
    elif example.evidence:
        cited = cited_sources(example, prompt.sources)
        outcome = "answer" if cited else "missed"
        target = marked(example.answer, *cited) if cited else ABSTENTION
    return Grounded(
        example=example, messages=prompt.messages, target=target, outcome=outcome, coverage=prompt.coverage
    )


def _grounded_preference(row: Preference, prompt: Composed) -> GroundedPreference:
    # Where the good answer abstains the other is invented: it cites the best source, as such a model does.
    invented = abstains(row.chosen)
    best = tuple(source.number for source in prompt.sources[:1])
    numbers = best if invented else cited_sources(row, prompt.sources)
    return GroundedPreference(
        preference=row,
        messages=prompt.messages,
        chosen=marked(row.chosen, *numbers),
        rejected=marked(row.rejected, *numbers),
        missed=not numbers and bool(row.evidence) and not invented,
    )
