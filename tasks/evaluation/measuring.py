"""Asks questions of models as they are served, and measures what these have kept of the base.

One way for the ledger and for the trials of the lab, so that their figures compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.assistant import Assistant
from deploy.engines.abstaining import Abstaining
from deploy.engines.chat import load_tokenizer, prompt_ids
from deploy.engines.local import TransformersEngine
from deploy.knowledge.hits import Knowledge
from deploy.messages import Message
from deploy.prompts.template import PromptTemplate
from deploy.settings import GenerationSettings
from tasks.errors import SourceError
from tasks.evaluation.arms import Answered, Respondent, ask_all
from tasks.evaluation.divergence import divergences
from tasks.evaluation.questions import askable, draw_questions
from tasks.evaluation.retention import likelihoods
from tasks.evaluation.settings import EvaluateSettings
from tasks.machine.device import Device
from tasks.machine.room import require_room
from tasks.rows.held_out import own_name
from tasks.rows.records import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The base and its adapters, ready to answer."""

    engine: TransformersEngine
    assistant: Assistant
    tokenizer: "PreTrainedTokenizerBase"
    generation: GenerationSettings

    def tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens a prompt has."""
        return len(prompt_ids(self.tokenizer, messages))

    def longest_prompt(self, settings: EvaluateSettings) -> int:
        """How many tokens a prompt may have, so that each model has room to answer it."""
        return self.engine.context - max(self.generation.max_new_tokens, settings.base_max_new_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """The answers of some arms to more questions, in one order, of `drawn` that were drawn."""

    drawn: int
    answered: dict[str, list[Answered]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured on the same questions for every arm, and of every model.

    `drawn` are the questions that were drawn, `questions` those that could be asked. `answered` and
    `latency_ms` are by the name of the arm, answers in the order of the questions. By the name of the
    model, `nll` is the mean negative log-likelihood of a token of general text, `divergence` the KL from the
    base in nats a token, prompt by prompt.
    """

    drawn: tuple[Example, ...]
    questions: tuple[Example, ...]
    answered: dict[str, list[Answered]]
    latency_ms: dict[str, float | None]
    nll: dict[str, float]
    divergence: dict[str, list[float]]


def serve(
    base: Path,
    adapters: Mapping[str, Path],
    knowledge: Knowledge,
    template: PromptTemplate,
    *,
    device: Device,
    generation: GenerationSettings,
    batch_size: int,
    abstention: Mapping[str, Abstaining] | None = None,
) -> Served:
    """The models over `base` as they are served, on `device`; `abstention` as the engine has it."""
    require_room(base, device, what="measuring")
    engine = TransformersEngine(
        base,
        adapters,
        dtype=device.precision,
        device=device.name,
        batch_size=batch_size,
        abstention=abstention,
    )
    return Served(
        engine=engine,
        assistant=Assistant(engine, knowledge, template, generation),
        tokenizer=load_tokenizer(base),
        generation=generation,
    )


def measure(
    served: Served,
    respondents: Sequence[Respondent],
    test: Sequence[Example],
    *,
    count: int,
    settings: EvaluateSettings,
    seed: int,
    same: Mapping[str, str] | None = None,
) -> Measured:
    """Ask each of `respondents` the same questions of `test`, then look at all models.

    These are all of the user's own and `count` of the others. `same` as `ask_all` has it.

    Raises:
        SourceError: there is no question that can be asked.
    """
    drawn = draw_questions(test, count, seed=seed)
    asked = askable(drawn, served.assistant, served.tokens, limit=served.longest_prompt(settings))
    if not asked.questions:
        raise SourceError(
            f"the test split has {len(test)} examples and none can be asked; add rows or raise split.test"
        )
    replies = ask_all(respondents, asked, served.assistant, settings, seed=seed, same=same)
    return Measured(
        drawn=tuple(drawn),
        questions=asked.questions,
        answered=replies.answered,
        latency_ms=replies.latency_ms,
        nll=likelihoods(served.engine, served.tokenizer),
        divergence=divergences(served.engine, served.tokenizer),
    )


def ask_further(
    served: Served,
    respondents: Sequence[Respondent],
    test: Sequence[Example],
    measured: Measured,
    *,
    count: int,
    settings: EvaluateSettings,
    seed: int,
    same: Mapping[str, str] | None = None,
) -> Further:
    """Ask `respondents` more questions of `test`, until they and those of `measured` are `count`.

    Two models that are near each other are told apart by many questions, and a tuned one answers in a few
    words. None are asked where a test set of the user's own counts: there is no more of it.
    """
    known = {question.id for question in measured.drawn}
    rest = [example for example in test if example.id not in known]
    missing = max(count - len(known), 0) if respondents and not any(map(own_name, test)) else 0
    drawn = draw_questions(rest, missing, seed=seed)
    asked = askable(drawn, served.assistant, served.tokens, limit=served.longest_prompt(settings))
    if not asked.questions:
        return Further(drawn=len(drawn), answered={})
    untimed = settings.model_copy(update={"latency_requests": 0})
    replies = ask_all(respondents, asked, served.assistant, untimed, seed=seed, same=same)
    return Further(drawn=len(drawn), answered=replies.answered)
