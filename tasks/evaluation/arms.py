"""The arms of the ledger: which layers are on, and what the assistant then answers."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploy.abstention import abstains
from deploy.assistant import Answer, Assistant, Layers, citations
from deploy.engines.engine import Sampling
from deploy.prompts.template import Source
from tasks.evaluation.questions import Asked
from tasks.evaluation.settings import EvaluateSettings
from tasks.machine.progress import Progress
from tasks.rows.records import Example
from tasks.scoring.scores import score


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One arm: the model that answers, and the layers that are on beside it."""

    name: str
    model: str
    layers: Layers


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
    setups: Sequence[Setup], asked: Asked, assistant: Assistant, settings: EvaluateSettings, *, seed: int
) -> Replies:
    """The answers of every arm, then the time of single requests; prints its progress."""
    num_timed = min(settings.latency_requests, len(asked.questions))
    total = len(setups) * (len(asked.questions) + num_timed)
    progress = Progress(total, "answers")
    answered: dict[str, list[Answered]] = {}
    latency: dict[str, float | None] = {}
    done = 0
    for setup in setups:
        sampling = replace(assistant.sampling, seed=seed)
        if setup.model == "base":
            sampling = replace(sampling, max_new_tokens=settings.base_max_new_tokens)
        answers: dict[int, Answered] = {}
        for batch in batches(asked.lengths, settings.batch_size):
            questions = [asked.questions[place] for place in batch]
            answers.update(zip(batch, ask(setup, questions, assistant, sampling), strict=True))
            progress.update(done + len(answers), arm=setup.name)
        answered[setup.name] = [answers[place] for place in range(len(asked.questions))]
        latency[setup.name] = single_requests_ms(setup, asked.questions[:num_timed], assistant, sampling)
        done += len(asked.questions) + num_timed
        progress.update(done, arm=setup.name)
    return Replies(answered=answered, latency_ms=latency)


def batches(lengths: Sequence[int], size: int) -> list[list[int]]:
    """The places of `lengths` in groups of like length, which keeps padding small.

    The longest come first: a batch that does not fit into memory fails at once.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    return [order[start : start + size] for start in range(0, len(order), size)]


def ask(
    setup: Setup, questions: Sequence[Example], assistant: Assistant, sampling: Sampling
) -> list[Answered]:
    """The answer of an arm to each question, in order."""
    answers = _answers(setup, questions, assistant, sampling)
    return [
        Answered(
            example=example,
            text=answer.text,
            score=score(example, answer.text),
            abstained=abstains(answer.text),
            numbers=citations(answer.text),
            sources=answer.sources,
            finished=answer.finished,
        )
        for example, answer in zip(questions, answers, strict=True)
    ]


def single_requests_ms(
    setup: Setup, questions: Sequence[Example], assistant: Assistant, sampling: Sampling
) -> float | None:
    """The median time of a request that comes alone, in milliseconds; None without questions."""
    seconds = [_answers(setup, [question], assistant, sampling)[0].seconds for question in questions]
    return round(1000 * statistics.median(seconds), 1) if seconds else None


def _answers(
    setup: Setup, questions: Sequence[Example], assistant: Assistant, sampling: Sampling
) -> list[Answer]:
    return assistant.answer(
        [question.prompt for question in questions],
        model=setup.model,
        layers=setup.layers,
        exclude=[question.withheld for question in questions],
        sampling=sampling,
    )
