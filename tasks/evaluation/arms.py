"""The arms of the ledger: which layers are on, and what the assistant then answers."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from deploy.abstention import abstains
from deploy.answer import Layers, citations
from deploy.assistant import Assistant
from deploy.engines.engine import Sampling
from deploy.prompts.template import Source
from tasks.evaluation.questions import Asked
from tasks.evaluation.settings import EvaluateSettings
from tasks.machine.progress import Progress
from tasks.rows.records import Example
from tasks.scoring.scores import score


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one arm says to one question, from which sources, and how long that took."""

    text: str
    sources: tuple[Source, ...]
    finished: bool
    seconds: float


class Respondent(Protocol):
    """Whoever answers the questions under the name of an arm."""

    @property
    def name(self) -> str:
        """The name of the arm."""
        ...

    @property
    def model(self) -> str | None:
        """The model that answers; None: there is none."""
        ...

    def replies(
        self, questions: Sequence[Example], assistant: Assistant, sampling: Sampling, /
    ) -> list[Reply]:
        """The reply to each question, in order, all asked at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """An arm of layers: the model that answers, and the layers that are on beside it."""

    name: str
    model: str
    layers: Layers

    def replies(
        self, questions: Sequence[Example], assistant: Assistant, sampling: Sampling, /
    ) -> list[Reply]:
        """What the assistant answers, as it is served."""
        answers = assistant.answer(
            [question.prompt for question in questions],
            model=self.model,
            layers=self.layers,
            exclude=[question.withheld for question in questions],
            sampling=sampling,
        )
        return [
            Reply(text=each.text, sources=each.sources, finished=each.finished, seconds=each.seconds)
            for each in answers
        ]


SETUPS = (
    Setup(name="base", model="base", layers=Layers(prompt=False, retrieval=False)),
    Setup(name="prompt", model="base", layers=Layers(prompt=True, retrieval=False)),
    Setup(name="retrieval", model="base", layers=Layers(prompt=True, retrieval=True)),
    Setup(name="sft", model="sft", layers=Layers(prompt=True, retrieval=True)),
    Setup(name="rlhf", model="rlhf", layers=Layers(prompt=True, retrieval=True)),
    Setup(name="sft_closed_book", model="sft", layers=Layers(prompt=True, retrieval=False)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question as one arm answered it. `numbers` are all cited numbers, shown sources or not."""

    example: Example
    text: str
    score: float
    abstained: bool
    numbers: tuple[int, ...]
    sources: tuple[Source, ...]
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What all arms answered, by the arm's name and in the order of the questions, and how fast."""

    answered: dict[str, list[Answered]]
    latency_ms: dict[str, float | None]


def ask_all(
    respondents: Sequence[Respondent],
    asked: Asked,
    assistant: Assistant,
    settings: EvaluateSettings,
    *,
    seed: int,
    same: Mapping[str, str] | None = None,
) -> Replies:
    """The answers of every arm, then the time of single requests; prints its progress.

    `same` has for a model an earlier one that it equals, byte for byte; it is not asked again.
    """
    num_timed = min(settings.latency_requests, len(asked.questions))
    total = len(respondents) * (len(asked.questions) + num_timed)
    progress = Progress(total, "answers")
    answered: dict[str, list[Answered]] = {}
    latency: dict[str, float | None] = {}
    asked_as: dict[Setup, str] = {}
    done = 0
    for respondent in respondents:
        if isinstance(respondent, Setup):
            model = (same or {}).get(respondent.model, respondent.model)
            first = asked_as.setdefault(replace(respondent, name="", model=model), respondent.name)
            if first != respondent.name:
                answered[respondent.name], latency[respondent.name] = answered[first], latency[first]
                done += len(asked.questions) + num_timed
                progress.update(done, arm=respondent.name)
                continue
        sampling = replace(assistant.sampling, seed=seed)
        if respondent.model == "base":
            sampling = replace(sampling, max_new_tokens=settings.base_max_new_tokens)
        answers: dict[int, Answered] = {}
        for batch in batches(asked.lengths, settings.batch_size):
            questions = [asked.questions[place] for place in batch]
            answers.update(zip(batch, ask(respondent, questions, assistant, sampling), strict=True))
            progress.update(done + len(answers), arm=respondent.name)
        answered[respondent.name] = [answers[place] for place in range(len(asked.questions))]
        latency[respondent.name] = single_requests_ms(
            respondent, asked.questions[:num_timed], assistant, sampling
        )
        done += len(asked.questions) + num_timed
        progress.update(done, arm=respondent.name)
    return Replies(answered=answered, latency_ms=latency)


def batches(lengths: Sequence[int], size: int) -> list[list[int]]:
    """The places of `lengths` in groups of like length, which keeps padding small.

    The longest come first: a batch that does not fit into memory fails at once.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    return [order[start : start + size] for start in range(0, len(order), size)]


def ask(
    respondent: Respondent, questions: Sequence[Example], assistant: Assistant, sampling: Sampling
) -> list[Answered]:
    """The answer of an arm to each question, in order."""
    replies = respondent.replies(questions, assistant, sampling)
    return [
        Answered(
            example=example,
            text=reply.text,
            score=score(example, reply.text),
            abstained=abstains(reply.text),
            numbers=citations(reply.text),
            sources=reply.sources,
            finished=reply.finished,
        )
        for example, reply in zip(questions, replies, strict=True)
    ]


def single_requests_ms(
    respondent: Respondent, questions: Sequence[Example], assistant: Assistant, sampling: Sampling
) -> float | None:
    """The median time of a request that comes alone, in milliseconds; None without questions."""
    seconds = [respondent.replies([question], assistant, sampling)[0].seconds for question in questions]
    return round(1000 * statistics.median(seconds), 1) if seconds else None
